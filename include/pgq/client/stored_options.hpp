#pragma once

#include <pgq/backoff/spec.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/duration_text.hpp>
#include <pgq/time/when.hpp>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
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

/// Writes the settings that one job has of its own into headers, where they are stored. Without such a setting it does
/// and costs nothing.
///
/// The options refer to this object, which must outlive them.
class own_settings_headers {
public:
    own_settings_headers() = default;
    own_settings_headers(const own_settings_headers&) = delete;
    own_settings_headers& operator=(const own_settings_headers&) = delete;

    /// Values out of range stay in the options, for check_values().
    enqueue_options add_to(enqueue_options o) {
        if (o.max_attempts > 0 && o.max_attempts <= INT16_MAX)
            put(o, max_attempts_header, std::to_string(std::exchange(o.max_attempts, 0)));
        if (o.timeout > duration{}) {
            std::string text;
            append_duration(text, std::exchange(o.timeout, {}));
            put(o, timeout_header, std::move(text));
        }
        return o;
    }

private:
    struct list {
        std::string text{};
        std::vector<header> all{};
    };

    void put(enqueue_options& o, std::string_view name, std::string text) {
        list& added = lists_.emplace_back(list{std::move(text), {o.headers.begin(), o.headers.end()}});
        std::erase_if(added.all, [&](const header& h) { return h.name == name; });
        added.all.push_back({name, added.text});
        o.headers = added.all;
    }

    std::list<list> lists_{};  // an empty one allocates nothing
};

/// What the settings of a job type say where the options of the call say nothing.
struct no_settings {
    static void complete(enqueue_options&) noexcept {}
};
template <class Settings>
struct enqueue_settings {
    static void complete(enqueue_options& o) noexcept {
        if constexpr (Settings::template has<priority_tag>) {
            if (!o.priority.is_set()) o.priority = Settings::template setting<priority_tag>::value;
        }
        if constexpr (Settings::template has<delay_tag>) {
            if (!o.run_at.is_set()) o.run_at = in(Settings::template setting<delay_tag>::value);
        }
        if constexpr (Settings::template has<expiry_tag>) {
            if (!o.expires_at.is_set()) o.expires_at = in(Settings::template setting<expiry_tag>::value);
        }
        if constexpr (Settings::template has<keep_outcome_tag>) {
            if (o.keep_outcome <= duration{}) o.keep_outcome = Settings::template setting<keep_outcome_tag>::value;
        }
    }
};

/// The options that are stored with a job: those of the caller, and what the policies of its entrypoint add.
///
/// Settings fill in what the caller left open. A stored back-off adds a header, and so do settings that the job has of
/// its own. A uniqueness policy makes the unique key, unless the caller has given one. The options refer to this
/// object, which must outlive them.
template <class Backoff, class Uniqueness, class Settings = no_settings>
class stored_options {
public:
    /// Whether each job needs options of its own, although the caller gave the same to all.
    static constexpr bool per_job = !std::is_void_v<Uniqueness>;

    template <class Job>
    enqueue_options of(const enqueue_options& given, [[maybe_unused]] const Job& job) {
        enqueue_options stored = backoff_.add_to(given);
        if (stored.max_attempts != 0 || stored.timeout != duration{}) stored = own_.add_to(stored);
        Settings::complete(stored);
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

    own_settings_headers own_{};
    [[no_unique_address]] backoff_header<Backoff> backoff_;
    [[no_unique_address]] std::conditional_t<per_job, std::deque<std::string>, no_keys> keys_;
};

}  // namespace pgq::detail
