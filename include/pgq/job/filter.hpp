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

/// What a header is compared with; numbers and truth values as their texts.
struct filter_value {
    filter_type type = filter_type::text;
    std::string text{};
};

/// A filter is a tree of these, which never changes and is shared by all copies.
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

/// A pattern of LIKE that ends in the middle of an escape is an error to the server: there it means the backslash itself.
inline std::string whole_pattern(std::string_view pattern) {
    std::string whole{pattern};
    std::size_t backslashes = 0;
    while (backslashes < whole.size() && whole[whole.size() - 1 - backslashes] == '\\') ++backslashes;
    if (backslashes % 2 == 1) whole += '\\';
    return whole;
}

}  // namespace detail

/// Which jobs to take, by their headers and ids: `header_of("tenant") == "a" && header_of("size") < 100`. Copying shares it.
///
/// Headers are texts. Compared with a text they are compared byte by byte; compared with a number, as numbers, exactly, when the
/// header's text is one; compared with a bool when it is "true" or "false". A job without the header, or with one that is not of that kind, does
/// not pass, with `!=` and `not_like` neither; `!` turns around whatever is behind it. Nothing of a filter is spliced
/// into SQL: names and values are bound.
class filter {
public:
    /// Every job passes.
    filter() = default;
    explicit filter(detail::filter_node node) : root_{std::make_shared<const detail::filter_node>(std::move(node))} {}

    bool is_everything() const noexcept { return root_ == nullptr; }
    const detail::filter_node* root() const noexcept { return root_.get(); }

    /// errc::invalid_text when it holds a text that no header can have; errc::invalid_option when it is nested more than 100 deep.
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
    // A long chain becomes one wide node, not a deep tree.
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
        if (depth > 100) return error_info{errc::invalid_option, "a filter is nested more than 100 deep"};
        if (!detail::is_storable_text(node.name) || !detail::is_storable_text(node.value.text))
            return error_info{errc::invalid_text, "a filter holds a zero byte or bytes that are not UTF-8",
                              "no header has such a name or value"};
        for (const auto& part : node.parts)
            if (auto fine = check(*part, depth + 1); !fine) return fine;
        return {};
    }

    std::shared_ptr<const detail::filter_node> root_{};
};

/// A header in a filter; see header_of().
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

    /// By a pattern of SQL: `%` is any text, `_` any one character, a backslash takes the meaning from what follows it.
    filter like(std::string_view pattern) const { return matched(detail::filter_op::like, pattern); }
    /// The header is there and does not match.
    filter not_like(std::string_view pattern) const { return matched(detail::filter_op::not_like, pattern); }

    filter exists() const { return filter{{.op = detail::filter_op::exists, .name = name_}}; }
    filter does_not_exist() const { return !exists(); }

    /// Equal to one of them; to none when there are none.
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
            if (!std::isfinite(v)) return !filter{};  // no header is a text for these
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

/// The header of this name, to be compared: `header_of("tenant") == "a"`.
inline header_ref header_of(std::string name) { return header_ref{std::move(name)}; }

/// Jobs with one of these ids. A filter looks for them among the waiting ones; no index helps it.
inline filter id_in(std::span<const job_id> ids) {
    return filter{{.op = detail::filter_op::id_in, .ids = {ids.begin(), ids.end()}}};
}
inline filter id_in(std::initializer_list<job_id> ids) { return id_in(std::span{ids.begin(), ids.size()}); }

}  // namespace pgq
