#pragma once

#include <pgq/backoff/recipe.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/record.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::detail {

/// What an entrypoint's policies store with its jobs beside what the caller says. It owns what the options that it has
/// packed refer to. Most have nothing to store and pay nothing.
template <class Backoff>
struct luggage {
    static const enqueue_options& pack(const enqueue_options& o) noexcept { return o; }
};

template <travelling_backoff Backoff>
class luggage<Backoff> {
public:
    luggage() : text_{backoff::recipe_of(Backoff{}).text()}, alone_{backoff::recipe::header_name, text_} {}
    luggage(const luggage&) = delete;
    luggage& operator=(const luggage&) = delete;

    enqueue_options pack(enqueue_options o) {
        const auto is_ours = [](const header& h) { return h.name == backoff::recipe::header_name; };
        if (o.headers.empty()) {
            o.headers = {&alone_, 1};
        } else if (std::ranges::none_of(o.headers, is_ours)) {
            auto& all = with_others_.emplace_back(o.headers.begin(), o.headers.end());
            all.push_back(alone_);
            o.headers = all;
        }
        return o;
    }

private:
    std::string text_;
    header alone_;
    std::deque<std::vector<header>> with_others_;
};

/// How long a job rests after a failed attempt: as it says itself, else as `Backoff` says.
template <class Backoff>
duration rest_of(const job_record& job) noexcept {
    for (const header& h : job.headers) {
        if (h.name != backoff::recipe::header_name) continue;
        if (const auto stored = backoff::recipe::parse(h.value)) return stored->delay(job.attempt);
    }
    return Backoff{}.delay(job.attempt);
}

}  // namespace pgq::detail
