#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/protocol/tracked.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace pgq {

/// What an operator does with jobs.
enum class job_action : std::uint8_t {
    cancel,   ///< deletes jobs that do not run, and asks those that run to stop
    requeue,  ///< held jobs become ready, with no attempts counted
    run_now,  ///< deferred jobs become ready; rank, id and attempts stay, so their order does
    drop,     ///< held jobs are deleted
    move,     ///< jobs go to another lane, where they keep state, rank and id
};

/// The name for logs and command lines. The names are stable.
constexpr std::string_view name_of(job_action a) noexcept {
    constexpr std::array<std::string_view, 5> names{"cancel", "requeue", "run-now", "drop", "move"};
    return names[static_cast<std::size_t>(a)];
}

/// The states from which an action takes jobs.
constexpr job_state states_of(job_action a) noexcept {
    switch (a) {
    case job_action::cancel: return any_state;
    case job_action::run_now: return job_state::deferred;
    case job_action::move: return job_state::ready | job_state::deferred | job_state::held;
    case job_action::requeue:
    case job_action::drop: break;
    }
    return job_state::held;
}

/// A job and where it is. Lane and rank make the action fast: without them it may have to read the table of ready jobs.
struct job_place {
    job_id id{};
    std::optional<lane_id> lane{};
    pgq::rank rank{};
};

struct action_request {
    job_action what = job_action::cancel;
    std::span<const job_place> jobs{};
    lane_id to{};  ///< of a move
};

struct action_reply {
    std::int64_t done = 0;
    std::int64_t stopping = 0;  ///< of these: jobs that run, and were asked to stop

    friend constexpr bool operator==(const action_reply&, const action_reply&) = default;
};

/// What became of a worker that was to be forgotten.
struct forget_reply {
    bool known = false;      ///< it was registered
    bool alive = false;      ///< its heartbeat is not late
    bool forgotten = false;  ///< it is not registered any more
    /// Its jobs that are ready again, and those that are held, with those of other dead workers. Empty if the role of
    /// the session may not do that: then the next heartbeat of any worker does.
    std::optional<std::int64_t> returned{};
    std::optional<std::int64_t> held{};
};

}  // namespace pgq
