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
#include <type_traits>
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

/// The same with the unique key that the entrypoint's policy makes of each job, unless the caller has named one. It owns those keys.
template <class Backoff, class Uniqueness>
class stored_options {
public:
    /// Whether options that are the same for all jobs are not so any more when they are packed.
    static constexpr bool differs = !std::is_void_v<Uniqueness>;

    template <class Job>
    enqueue_options pack(const enqueue_options& o, [[maybe_unused]] const Job& job) {
        enqueue_options packed = luggage_.pack(o);
        if constexpr (differs) {
            if (!packed.unique_key.is_set()) {
                std::string& key = keys_.emplace_back();
                Uniqueness::key(job, key);
                packed.unique_key = unique{Uniqueness::rule}.with_key(key);
            }
        }
        return packed;
    }

private:
    struct no_keys {};

    [[no_unique_address]] luggage<Backoff> luggage_;
    [[no_unique_address]] std::conditional_t<differs, std::deque<std::string>, no_keys> keys_;
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
