#pragma once

#include <pgq/backoff/spec.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>

#include <algorithm>
#include <deque>
#include <string>
#include <type_traits>
#include <vector>

namespace pgq::detail {

/// Adds the header of a stored back-off to the options of a job. Other back-offs store nothing and cost nothing.
///
/// The options refer to this object, which must outlive them.
template <class Backoff>
struct backoff_header {
    static const enqueue_options& add_to(const enqueue_options& o) noexcept { return o; }
};

template <stored_backoff Backoff>
class backoff_header<Backoff> {
public:
    backoff_header() : text_{backoff::spec_of(Backoff{}).text()}, alone_{backoff::spec::header_name, text_} {}
    backoff_header(const backoff_header&) = delete;
    backoff_header& operator=(const backoff_header&) = delete;

    enqueue_options add_to(enqueue_options o) {
        const auto is_ours = [](const header& h) { return h.name == backoff::spec::header_name; };
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

/// The options that are stored with a job: those of the caller, and what the policies of its entrypoint add.
///
/// A stored back-off adds a header. A uniqueness policy makes the unique key, unless the caller has given one. The
/// options refer to this object, which must outlive them.
template <class Backoff, class Uniqueness>
class stored_options {
public:
    /// Whether each job needs options of its own, although the caller gave the same to all.
    static constexpr bool per_job = !std::is_void_v<Uniqueness>;

    template <class Job>
    enqueue_options of(const enqueue_options& given, [[maybe_unused]] const Job& job) {
        enqueue_options stored = backoff_.add_to(given);
        if constexpr (per_job) {
            if (!stored.unique_key.is_set()) {
                std::string& key = keys_.emplace_back();
                Uniqueness::key(job, key);
                stored.unique_key = unique{Uniqueness::rule}.with_key(key);
            }
        }
        return stored;
    }

private:
    struct no_keys {};

    [[no_unique_address]] backoff_header<Backoff> backoff_;
    [[no_unique_address]] std::conditional_t<per_job, std::deque<std::string>, no_keys> keys_;
};

}  // namespace pgq::detail
