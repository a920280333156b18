#pragma once

#include <pgq/detail/decimal.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/statement/params.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::statement {

/// A filter as an SQL condition on a row `r` with `headers` and `id`. The structure of the filter becomes text. Its
/// names and values become two arrays that `bind` adds, the parameters $first (texts) and $first + 1 (ids). The
/// condition is never null and never fails, whatever a header holds. The filter must outlive this.
class filter_condition {
public:
    filter_condition(const filter& f, int first)
        : texts_name_{"($" + std::to_string(first) + ")"}, ids_name_{"($" + std::to_string(first + 1) + ")"} {
        if (f.is_everything()) text_ = "true";
        else put(*f.root());
        // The text names both parameters, so that both have a type.
        text_ += " AND cardinality(" + texts_name_ + ") + cardinality(" + ids_name_ + ") >= 0";
    }

    const std::string& text() const noexcept { return text_; }
    void bind(params& p) const {
        p.texts(texts_.size(), [&](std::size_t i) { return texts_[i]; }).int8s(ids_.size(), [&](std::size_t i) {
            return ids_[i];
        });
    }

private:
    using node = pgq::detail::filter_node;
    using op = pgq::detail::filter_op;
    using type = pgq::detail::filter_type;

    void put(const node& n) {
        switch (n.op) {
        case op::all_of: return put_parts(n, " AND ", "true");
        case op::any_of: return put_parts(n, " OR ", "false");
        case op::negation:
            text_ += "(NOT ";
            put(*n.parts.front());
            text_ += ")";
            return;
        case op::compare: return put_comparison(n);
        case op::like: return put_match(n, " LIKE ");
        case op::not_like: return put_match(n, " NOT LIKE ");
        case op::exists: return put_leaf("r.headers ? " + bound(n.name));
        case op::id_in: return put_ids(n);
        }
    }
    void put_parts(const node& n, std::string_view between, std::string_view of_none) {
        if (n.parts.empty()) return void(text_ += of_none);
        text_ += "(";
        for (std::size_t i = 0; i < n.parts.size(); ++i) {
            if (i != 0) text_ += between;
            put(*n.parts[i]);
        }
        text_ += ")";
    }
    void put_leaf(const std::string& condition) { text_ += "coalesce(" + condition + ", false)"; }

    void put_match(const node& n, const char* relation) {
        const auto value = header(n);
        put_leaf(value + relation + bound(n.value.text));
    }
    void put_comparison(const node& n) {
        const auto value = header(n);
        const std::string relation = symbol(n.relation);
        const auto wanted = bound(n.value.text);
        if (n.value.type == type::text) return put_leaf(value + relation + wanted + R"( COLLATE "C")");
        // Casts only a text that is a number: a CASE evaluates its condition first.
        if (n.value.type == type::number)
            return put_leaf("CASE WHEN length(" + value + ") <= " + std::to_string(pgq::detail::decimal::max_length) +
                            " AND " + value + R"( ~ '^[-+]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][-+]?[0-9]{1,3})?$')" +
                            " THEN " + value + "::numeric" + relation + wanted + "::numeric END");
        put_leaf("CASE WHEN " + value + " IN ('true', 'false') THEN " + value + "::bool" + relation + wanted +
                 "::bool END");
    }
    void put_ids(const node& n) {
        const std::size_t from = ids_.size() + 1;
        for (const job_id id : n.ids) ids_.push_back(id.value);
        text_ += "r.id = ANY (" + ids_name_ + "[" + std::to_string(from) + ":" + std::to_string(ids_.size()) + "])";
    }

    std::string header(const node& n) { return "(r.headers ->> " + bound(n.name) + ")"; }
    std::string bound(std::string_view text) {
        texts_.push_back(text);
        return texts_name_ + "[" + std::to_string(texts_.size()) + "]";
    }
    static const char* symbol(pgq::detail::filter_relation r) noexcept {
        constexpr const char* symbols[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
        return symbols[static_cast<std::size_t>(r)];
    }

    std::string texts_name_;
    std::string ids_name_;
    std::string text_{};
    std::vector<std::string_view> texts_{};
    std::vector<std::int64_t> ids_{};
};

}  // namespace pgq::statement
