#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {
namespace detail {

enum class filter_op : std::uint8_t { all_of, any_of, negation, compare, like, not_like, exists, id_in };
enum class filter_relation : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal };
enum class filter_type : std::uint8_t { text, number, boolean };

/// The value that a header is compared with. Numbers and bools are stored as texts.
struct filter_value {
    filter_type type = filter_type::text;
    std::string text{};
};

/// A node of a filter. A filter is an immutable tree of nodes; its copies share it.
struct filter_node {
    filter_op op = filter_op::all_of;
    filter_relation relation = filter_relation::equal;
    std::string name{};
    filter_value value{};
    std::vector<job_id> ids{};
    std::vector<std::shared_ptr<const filter_node>> parts{};
};

template <class T>
concept filter_comparable = std::same_as<T, bool> ||(std::integral<T> && !std::same_as<T, char>) ||
                            std::floating_point<T> || std::convertible_to<const T&, std::string_view>;

template <filter_comparable T>
filter_value filter_value_of(const T& v) {
    if constexpr (std::same_as<T, bool>) return {filter_type::boolean, v ? "true" : "false"};
    else if constexpr (std::convertible_to<const T&, std::string_view>) {
        return {filter_type::text, std::string{std::string_view{v}}};
    } else {
        std::array<char, 64> text{};
        const auto end = std::to_chars(text.data(), text.data() + text.size(), v).ptr;
        return {filter_type::number, {text.data(), end}};
    }
}

/// Completes a LIKE pattern that ends with a single backslash, which the server refuses. The backslash is then literal.
inline std::string whole_pattern(std::string_view pattern) {
    std::string whole{pattern};
    std::size_t backslashes = 0;
    while (backslashes < whole.size() && whole[whole.size() - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 1) whole += '\\';
    return whole;
}

}  // namespace detail

/// Selects jobs by their headers and ids: `header_of("tenant") == "a" && header_of("size") < 100`.
///
/// A header is a text. A comparison with a text is byte by byte. A comparison with a number is numeric and exact, and
/// passes only if the header is a number. A comparison with a bool passes only if the header is "true" or "false". A
/// job without the header, or with a header of another kind, does not pass, also with `!=` and `not_like`. `!` inverts
/// the result of a whole expression, so such a job passes `!(header_of("size") < 100)`.
///
/// Names and values are bound as parameters and never become part of the SQL text. Copies share one tree; copying is
/// cheap.
class filter {
public:
    /// A filter that every job passes.
    filter() = default;
    explicit filter(detail::filter_node node) : root_{std::make_shared<const detail::filter_node>(std::move(node))} {}

    bool is_everything() const noexcept { return root_ == nullptr; }
    const detail::filter_node* root() const noexcept { return root_.get(); }

    /// Errors: errc::invalid_text if a text has a zero byte or invalid UTF-8, which no header can have;
    /// errc::invalid_option if the filter is nested more than 100 levels deep.
    result<void> check() const { return root_ ? check(*root_, 0) : result<void>{}; }

    friend filter operator&&(const filter& a, const filter& b) {
        if (a.is_everything()) return b;
        if (b.is_everything()) return a;
        return both(detail::filter_op::all_of, a, b);
    }
    friend filter operator||(const filter& a, const filter& b) {
        if (a.is_everything() || b.is_everything()) return {};
        return both(detail::filter_op::any_of, a, b);
    }
    friend filter operator!(const filter& a) {
        if (a.is_everything()) return filter{{.op = detail::filter_op::any_of}};
        return filter{{.op = detail::filter_op::negation, .parts = {a.root_}}};
    }

private:
    // A long chain of && or || becomes one node with many parts instead of a deep tree.
    static filter both(detail::filter_op op, const filter& a, const filter& b) {
        detail::filter_node node{.op = op};
        for (const auto* side : {&a, &b}) {
            const auto& root = side->root_;
            if (root->op == op) node.parts.insert(node.parts.end(), root->parts.begin(), root->parts.end());
            else node.parts.push_back(root);
        }
        return filter{std::move(node)};
    }
    static result<void> check(const detail::filter_node& node, int depth) {
        if (depth > 100) return error_info{errc::invalid_option, "a filter is nested more than 100 levels deep"};
        if (!detail::is_storable_text(node.name) || !detail::is_storable_text(node.value.text))
            return error_info{errc::invalid_text, "a text in a filter has a zero byte or invalid UTF-8",
                              "no header can have this name or value"};
        for (const auto& part : node.parts)
            if (auto fine = check(*part, depth + 1); !fine) return fine;
        return {};
    }

    std::shared_ptr<const detail::filter_node> root_{};
};

/// A header that can be compared in a filter; see header_of().
class header_ref {
public:
    explicit header_ref(std::string name) : name_{std::move(name)} {}

    template <detail::filter_comparable T>
    friend filter operator==(const header_ref& h, const T& v) {
        return h.compared(detail::filter_relation::equal, v);
    }
    template <detail::filter_comparable T>
    friend filter operator!=(const header_ref& h, const T& v) {
        return h.compared(detail::filter_relation::not_equal, v);
    }
    template <detail::filter_comparable T>
    friend filter operator<(const header_ref& h, const T& v) {
        return h.compared(detail::filter_relation::less, v);
    }
    template <detail::filter_comparable T>
    friend filter operator<=(const header_ref& h, const T& v) {
        return h.compared(detail::filter_relation::less_equal, v);
    }
    template <detail::filter_comparable T>
    friend filter operator>(const header_ref& h, const T& v) {
        return h.compared(detail::filter_relation::greater, v);
    }
    template <detail::filter_comparable T>
    friend filter operator>=(const header_ref& h, const T& v) {
        return h.compared(detail::filter_relation::greater_equal, v);
    }

    /// Passes if the header matches a LIKE pattern: `%` is any text, `_` is any one character, and the character after
    /// a backslash is literal.
    filter like(std::string_view pattern) const { return matched(detail::filter_op::like, pattern); }
    /// Passes if the job has the header and it does not match.
    filter not_like(std::string_view pattern) const { return matched(detail::filter_op::not_like, pattern); }

    filter exists() const { return filter{{.op = detail::filter_op::exists, .name = name_}}; }
    filter does_not_exist() const { return !exists(); }

    /// Passes if the header equals one of the values. With no values no job passes.
    template <detail::filter_comparable T>
    filter in(std::initializer_list<T> values) const {
        return in(std::span{values.begin(), values.size()});
    }
    template <class T>
    filter in(std::span<T> values) const {
        detail::filter_node node{.op = detail::filter_op::any_of};
        for (const auto& v : values)
            node.parts.push_back(std::make_shared<const detail::filter_node>(
                detail::filter_node{.op = detail::filter_op::compare,
                                    .name = name_,
                                    .value = detail::filter_value_of<std::remove_cv_t<T>>(v)}));
        return filter{std::move(node)};
    }

private:
    template <class T>
    filter compared(detail::filter_relation relation, const T& v) const {
        if constexpr (std::floating_point<T>)
            if (!std::isfinite(v)) return !filter{};  // no header is read as infinity or NaN
        return filter{{.op = detail::filter_op::compare,
                       .relation = relation,
                       .name = name_,
                       .value = detail::filter_value_of(v)}};
    }
    filter matched(detail::filter_op op, std::string_view pattern) const {
        return filter{{.op = op, .name = name_, .value = {detail::filter_type::text, detail::whole_pattern(pattern)}}};
    }

    std::string name_;
};

/// The header with this name, for a comparison: `header_of("tenant") == "a"`.
inline header_ref header_of(std::string name) { return header_ref{std::move(name)}; }

/// Passes jobs with one of these ids. The server scans the waiting jobs for them; it has no index by id.
inline filter id_in(std::span<const job_id> ids) {
    return filter{{.op = detail::filter_op::id_in, .ids = {ids.begin(), ids.end()}}};
}
inline filter id_in(std::initializer_list<job_id> ids) { return id_in(std::span{ids.begin(), ids.size()}); }

}  // namespace pgq
