#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/static_duration.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>

// Settings of the jobs of one entrypoint, or of all entrypoints of a queue. docs/guides/settings.md has the order in
// which they apply: the option of one job, the entrypoint, the queue, the default.
namespace pgq {

/// How many attempts a job has: `attempts<5>`. It goes before `worker_options::max_attempts`.
template <int N>
struct attempts {
    using policy_category = attempts_tag;
    static constexpr int value = N;
};

/// How long an attempt may take: `timeout<30s>`, or `timeout<30s, 1s>` with a grace time.
///
/// When the time is over, the stop token of the handler fires, and the attempt fails with "timed out after 30 s",
/// whatever the handler returns. A handler that still runs after the grace time (default 5 s) is reported as
/// `event::handler_exceeded_timeout`. `executor::retrying` makes all its tries within the time. The decorator
/// `executor::timeout` limits the handler in addition.
template <static_duration Limit, static_duration Grace = std::chrono::seconds{5}>
struct timeout {
    using policy_category = timeout_tag;
    static constexpr duration static_limit = Limit.value();
    static constexpr duration static_grace = Grace.value();
};

/// The priority of jobs that are enqueued without one: `priority<10>`.
template <int N>
struct priority {
    using policy_category = priority_tag;
    static constexpr int value = N;
};

/// How long after its enqueue a job starts that is enqueued without `run_at`: `delay<1min>`.
template <static_duration D>
struct delay {
    using policy_category = delay_tag;
    static constexpr duration value = D.value();
};

/// How long after its enqueue a job expires that is enqueued without `expires_at`: `expires_in<1h>`.
template <static_duration D>
struct expires_in {
    using policy_category = expiry_tag;
    static constexpr duration value = D.value();
};

/// How long the end of a job can be read that is enqueued without `keep_outcome`: `keep_outcome<1h>`.
template <static_duration D>
struct keep_outcome {
    using policy_category = keep_outcome_tag;
    static constexpr duration value = D.value();
};

namespace detail {

/// The categories of settings, in the order that a canonical composition has.
using setting_categories = type_list<attempts_tag, timeout_tag, priority_tag, delay_tag, expiry_tag, keep_outcome_tag>;

template <class Policy>
concept setting_policy =
    has_policy_category<Policy> && contains_v<typename Policy::policy_category, setting_categories>;

/// The settings of the jobs of one type, each from its entrypoint, or else from the queue.
template <class Composition, class Job>
struct settings_for {
    template <class Category>
    using setting = typename Composition::template policy_for<Job, Category>;
    template <class Category>
    static constexpr bool has = !std::is_void_v<setting<Category>>;

    /// 0 without a setting.
    static constexpr std::int16_t max_attempts = [] {
        if constexpr (has<attempts_tag>) return static_cast<std::int16_t>(setting<attempts_tag>::value);
        else return std::int16_t{0};
    }();
    static constexpr std::int16_t priority = [] {
        if constexpr (has<priority_tag>) return static_cast<std::int16_t>(setting<priority_tag>::value);
        else return std::int16_t{0};
    }();
    static constexpr std::optional<duration> time_limit = []() -> std::optional<duration> {
        if constexpr (has<timeout_tag>) return setting<timeout_tag>::static_limit;
        else return std::nullopt;
    }();
    /// Also of a timeout that only the job itself has.
    static constexpr duration time_limit_grace = []() -> duration {
        if constexpr (has<timeout_tag>) return setting<timeout_tag>::static_grace;
        else return timeout<std::chrono::seconds{1}>::static_grace;
    }();
    /// Whether every job must be tracked for its settings.
    static constexpr bool tracks = has<expiry_tag> || has<keep_outcome_tag>;
};

}  // namespace detail
}  // namespace pgq
