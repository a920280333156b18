#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// What a schedule does at a tick if the job of the former tick has not ended. The values are stored.
enum class overlap : char {
    allow = 'a',           ///< enqueue the job all the same
    skip = 's',            ///< enqueue nothing
    queue_one = 'q',       ///< enqueue the job, unless one waits already: one runs and one waits at most
    cancel_running = 'c',  ///< cancel the former job, and enqueue this one
};

/// How many ticks of the past a schedule fires at most.
inline constexpr std::int32_t most_missed_ticks = 1000;

/// A schedule as a program declares it. The views must live until the call returns.
struct schedule_definition {
    std::string_view name{};
    std::string_view expression{};
    std::string_view zone{};
    duration jitter{};
    std::optional<time_point> starts_at{};
    std::optional<time_point> ends_at{};
    std::int32_t missed_count = 1;         ///< of missed ticks so many are fired, the latest: 1 to most_missed_ticks
    std::optional<duration> missed_age{};  ///< no tick that is older; empty: however old it is
    pgq::overlap overlap = pgq::overlap::allow;
    enqueue_request job{};  ///< one job, without parents and `at_most`; its times are relative
};

/// A schedule as it is stored, without its job.
struct stored_schedule {
    std::string name{};
    std::string entrypoint{};
    lane_id lane{};
    std::string expression{};
    std::string zone{};
    duration jitter{};
    std::optional<time_point> starts_at{};
    std::optional<time_point> ends_at{};
    std::int32_t missed_count = 1;
    std::optional<duration> missed_age{};
    pgq::overlap overlap = pgq::overlap::allow;
    std::optional<time_point> next_at{};  ///< the next tick is the first one at or after it; empty: there is none
    std::optional<time_point> fired_at{};
    std::optional<job_id> fired_job{};
    std::optional<time_point> paused_at{};
    std::string pause_reason{};
    time_point declared_at{};
};

/// The schedules of a queue.
struct schedule_list {
    time_point now{};                    ///< the time of the database
    bool notifies = false;               ///< the session is notified when a schedule changes
    std::vector<stored_schedule> all{};  ///< in the order of their names
};

/// Ticks of one schedule to fire.
struct schedule_firing {
    std::string_view name{};
    lane_id lane{};
    time_point expected{};             ///< `next_at` as the scheduler knows it
    std::optional<time_point> next{};  ///< the tick behind `ticks`; empty: there is none
    std::vector<time_point> ticks{};   ///< in order; none: only `next_at` is changed
};

enum class fire_outcome : char {
    fired = 'f',
    not_expected = 'n',  ///< `next_at` is another one, see `fire_answer::next_at`
    busy = 'b',          ///< another session fires it just now
    paused = 'p',
    early = 'e',  ///< a tick has not come yet by the clock of the database
    gone = 'g',   ///< there is no such schedule
};

/// What became of one tick.
struct fired_tick {
    std::optional<job_id> job{};  ///< empty: nothing was enqueued
    std::string reason{};         ///< why, if that was an error; empty: another job has the unique key
};

struct fire_answer {
    fire_outcome outcome = fire_outcome::gone;
    std::optional<time_point> next_at{};  ///< as it is stored now, if the outcome is `fired` or `not_expected`
    std::vector<fired_tick> ticks{};      ///< of `fired`: one for each tick
};

struct fire_reply {
    time_point now{};  ///< the time of the database
    std::vector<fire_answer> all{};
};

enum class schedule_change : char {
    pause = 'p',
    resume = 'r',  ///< no tick of the pause is fired
    remove = 'd',
    fire_now = 'f',  ///< enqueues the job once, beside its ticks
};

struct schedule_change_reply {
    bool changed = false;  ///< false: there is no such schedule, or it is paused (not paused) already
    fired_tick fired{};    ///< of `fire_now`
};

}  // namespace pgq
