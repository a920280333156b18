#pragma once

#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace pgq::driver::in_memory {

/// What the tracked table stores for a job that has not ended, or that is held.
struct tracked_job {
    lane_id lane{};
    pgq::rank rank{};
    bool held = false;
    std::string key{};  ///< the unique key, prefixed with the names of queue and entrypoint; empty if there is none
    parent_failure if_parent_fails = parent_failure::hold;
    std::optional<time_point> run_at{};
    std::optional<time_point> expires_at{};
    on_expiry if_expired = on_expiry::drop;
    std::optional<duration> keep_outcome{};  ///< none: the outcome is not stored
    std::optional<std::string> progress{};
    std::set<job_id> parents{};  ///< only tracked_table changes this member and the next two
    std::set<job_id> children{};
    std::vector<std::weak_ptr<waiter>> waiters{};
};

/// The job that has a unique key.
struct key_holder {
    job_id job{};
    unique_scope scope = unique_scope::until_finished;
    std::optional<time_point> until{};  ///< none: until the job ends

    bool is_valid(time_point now) const noexcept { return !until || *until > now; }
};

/// The state of a job on which another job depends.
enum class parent_state : std::uint8_t { open, succeeded, failed };

/// What to do with a blocked job because its parent has ended.
struct unblock_action {
    enum class kind : std::uint8_t { begin, hold, cancel };

    job_id id{};
    kind what = kind::begin;
    std::optional<time_point> run_at{};  ///< for `begin`: the job must not start earlier
    std::string reason{};
};

}  // namespace pgq::driver::in_memory
