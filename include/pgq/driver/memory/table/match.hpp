#pragma once

#include <pgq/detail/decimal.hpp>
#include <pgq/driver/memory/table/job.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/header.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace pgq::driver::in_memory {

namespace detail {

using filter_node = pgq::detail::filter_node;
using filter_op = pgq::detail::filter_op;
using filter_relation = pgq::detail::filter_relation;
using filter_type = pgq::detail::filter_type;

/// The size in bytes of the first UTF-8 character.
inline std::size_t character_size(std::string_view text) noexcept {
    std::size_t n = 1;
    while (n < text.size() && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80) ++n;
    return n;
}

/// SQL's LIKE. It backtracks only to the latest `%`, which is enough. So it takes at most text size times pattern size
/// steps.
inline bool is_like(std::string_view text, std::string_view pattern) noexcept {
    std::optional<std::string_view> retry_pattern;
    std::string_view retry_text;
    for (;;) {
        if (!pattern.empty() && pattern[0] == '%') {
            pattern.remove_prefix(1);
            retry_pattern = pattern;
            retry_text = text;
            continue;
        }
        if (pattern.empty() && text.empty()) return true;
        if (!pattern.empty() && !text.empty()) {
            const bool any = pattern[0] == '_';
            const std::size_t escape = pattern[0] == '\\' && pattern.size() > 1 ? 1 : 0;
            if (any || pattern[escape] == text[0]) {
                text.remove_prefix(any ? character_size(text) : 1);
                pattern.remove_prefix(any ? 1 : escape + 1);
                continue;
            }
        }
        if (!retry_pattern || retry_text.empty()) return false;
        retry_text.remove_prefix(character_size(retry_text));
        text = retry_text;
        pattern = *retry_pattern;
    }
}

inline bool satisfies(filter_relation r, std::strong_ordering order) noexcept {
    switch (r) {
    case filter_relation::equal: return order == 0;
    case filter_relation::not_equal: return order != 0;
    case filter_relation::less: return order < 0;
    case filter_relation::less_equal: return order <= 0;
    case filter_relation::greater: return order > 0;
    case filter_relation::greater_equal: return order >= 0;
    }
    return false;
}

inline bool compare_matches(const filter_node& n, std::string_view value) {
    const std::string_view wanted = n.value.text;
    if (n.value.type == filter_type::text) return satisfies(n.relation, value.compare(wanted) <=> 0);
    if (n.value.type == filter_type::number) {
        const auto a = pgq::detail::decimal::parse(value), b = pgq::detail::decimal::parse(wanted);
        return a && b && satisfies(n.relation, *a <=> *b);
    }
    if (value != "true" && value != "false") return false;
    return satisfies(n.relation, static_cast<int>(value == "true") <=> static_cast<int>(wanted == "true"));
}

inline bool matches(const filter_node& n, const job& j) {
    const auto value = [&]() -> std::optional<std::string_view> {
        for (const header& h : j.headers)
            if (h.name == n.name) return h.value;
        return std::nullopt;
    };
    const auto part_matches = [&](const auto& part) { return matches(*part, j); };
    switch (n.op) {
    case filter_op::all_of: return std::all_of(n.parts.begin(), n.parts.end(), part_matches);
    case filter_op::any_of: return std::any_of(n.parts.begin(), n.parts.end(), part_matches);
    case filter_op::negation: return !matches(*n.parts.front(), j);
    case filter_op::exists: return value().has_value();
    case filter_op::id_in: return std::find(n.ids.begin(), n.ids.end(), j.id) != n.ids.end();
    default: break;
    }
    const auto found = value();
    if (!found) return false;
    if (n.op == filter_op::compare) return compare_matches(n, *found);
    return is_like(*found, n.value.text) == (n.op == filter_op::like);
}

}  // namespace detail

/// Whether the filter matches the job. A null filter matches every job.
inline bool matches(const filter* f, const job& j) {
    return f == nullptr || f->is_everything() || detail::matches(*f->root(), j);
}

}  // namespace pgq::driver::in_memory
