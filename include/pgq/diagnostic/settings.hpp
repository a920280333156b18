#pragma once

#include <pgq/diagnostic/never.hpp>

// Compile-time messages about the settings in compose/settings.hpp.
namespace pgq::diagnostic {

template <class Setting>
struct attempts_out_of_range {
    static_assert(never<Setting>,
                  "pgq: attempts has a number below 1 or above 32767. Give a number in this range: attempts<5>.");
};

template <class Setting>
struct priority_out_of_range {
    static_assert(never<Setting>,
                  "pgq: priority has a number out of range. Give a number from -32768 to 32767: priority<10>.");
};

template <class Setting>
struct setting_of_no_time {
    static_assert(never<Setting>,
                  "pgq: delay, expires_in or keep_outcome has a time of zero or less. Give it a time above zero, or "
                  "remove it.");
};

template <class Job, class Delay, class Expiry>
struct expires_while_delayed {
    static_assert(
        never<Job, Delay, Expiry>,
        "pgq: the jobs of an entrypoint expire before their delay is over. Make expires_in longer than delay: "
        "both count from the enqueue.");
};

template <class Job, class Attempts>
struct attempts_at_most_once {
    static_assert(
        never<Job, Attempts>,
        "pgq: a job with delivery::at_most_once has attempts, but it never runs again. Remove one of the two.");
};

}  // namespace pgq::diagnostic
