#pragma once

#include <pgq/job/header.hpp>
#include <pgq/trace/context.hpp>
#include <pgq/trace/state.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgq::trace {

/// The names of the headers, as in W3C Trace Context. Names of headers of a job are case-sensitive.
inline constexpr std::string_view traceparent_header = "traceparent", tracestate_header = "tracestate";

constexpr bool is_trace_header(std::string_view name) noexcept {
    return name == traceparent_header || name == tracestate_header;
}

/// The context that these two texts say, for example of an HTTP request; nullopt if `parent` must be ignored. A
/// `state` that must be ignored is left out. The context refers to `state`.
constexpr std::optional<context> parse(std::string_view parent, std::string_view state = {}) noexcept {
    auto read = parse_traceparent(parent);
    if (read && is_valid_state(state)) read->state = state;
    return read;
}

/// The context in the headers of a job, or nullopt. It refers to them.
template <class Headers>
constexpr std::optional<context> read(const Headers& all) noexcept {
    std::string_view parent, state;
    for (const auto& h : all) {
        if (h.name == traceparent_header) parent = h.value;
        else if (h.name == tracestate_header) state = h.value;
    }
    return parent.empty() ? std::nullopt : parse(parent, state);
}

/// The headers of a job that is enqueued in this context: `jobs.enqueue(job, {.headers = pgq::trace::headers{here}})`.
/// They refer to this object and to the state of the context. A state of more than 512 characters is shortened.
class headers {
public:
    explicit headers(const context& c) : parent_{c} {
        add(traceparent_header, parent_.text());
        if (c.state.size() > longest_state) short_ = shorten_state(c.state);
        const std::string_view state = c.state.size() > longest_state ? std::string_view{short_} : c.state;
        if (!state.empty()) add(tracestate_header, state);
    }
    headers(const headers&) = delete;
    headers& operator=(const headers&) = delete;

    std::span<const header> all() const noexcept { return {all_.data(), count_}; }
    operator header_list() const noexcept { return header_list{all_.data(), count_}; }

private:
    void add(std::string_view name, std::string_view value) noexcept { all_[count_++] = {name, value}; }

    traceparent parent_;
    std::string short_{};
    std::array<header, 2> all_{};
    std::size_t count_ = 0;
};

}  // namespace pgq::trace
