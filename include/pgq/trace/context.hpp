#pragma once

#include <pgq/trace/id.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace pgq::trace {

/// Where in a trace something happens: what `traceparent` and `tracestate` of W3C Trace Context say.
struct context {
    trace_id trace{};
    span_id span{};
    bool sampled = false;      ///< the span is recorded
    std::string_view state{};  ///< the text of `tracestate`. It is a view: its owner must outlive the context

    constexpr bool is_valid() const noexcept { return trace.is_set() && span.is_set(); }
    friend constexpr bool operator==(const context&, const context&) = default;
};

/// Reads a `traceparent` as W3C Trace Context, level 1, says. Nullopt if it must be ignored.
///
/// It is `version-traceid-spanid-flags`, in lower-case hexadecimal digits. Version 00 has exactly 55 characters. Of a
/// later version the first 55 are read, and what follows must begin with a dash; version ff does not exist. Ids of
/// zeros only are not valid. Of the flags only `sampled` is kept.
constexpr std::optional<context> parse_traceparent(std::string_view text) noexcept {
    constexpr std::size_t size = 55;
    if (text.size() < size || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
    const auto version = detail::read_byte(text.substr(0, 2));
    if (!version || *version == 0xff) return std::nullopt;
    if (text.size() > size && (*version == 0 || text[size] != '-')) return std::nullopt;
    const auto trace = trace_id::parse(text.substr(3, trace_id::digits));
    const auto span = span_id::parse(text.substr(36, span_id::digits));
    const auto flags = detail::read_byte(text.substr(53, 2));
    if (!trace || !span || !flags) return std::nullopt;
    return context{.trace = *trace, .span = *span, .sampled = (*flags & 1U) != 0};
}

/// The text of a `traceparent`, of version 00. It allocates no memory.
class traceparent {
public:
    constexpr traceparent() noexcept = default;
    constexpr explicit traceparent(const context& c) noexcept {
        text_[0] = text_[1] = text_[53] = '0';
        text_[2] = text_[35] = text_[52] = '-';
        c.trace.write(text_.data() + 3);
        c.span.write(text_.data() + 36);
        text_[54] = c.sampled ? '1' : '0';
    }
    constexpr std::string_view text() const noexcept { return {text_.data(), text_.size()}; }

private:
    std::array<char, 55> text_{};
};

}  // namespace pgq::trace
