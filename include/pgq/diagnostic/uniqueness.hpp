#pragma once

#include <pgq/concept/uniqueness.hpp>
#include <pgq/diagnostic/never.hpp>

// The messages about unique keys that a policy makes.
namespace pgq::diagnostic {

template <class Policy>
struct incomplete_uniqueness {
    static_assert(uniqueness_policy<Policy>,
                  "pgq: a policy for unique keys does not model pgq::uniqueness_policy. Give it `static constexpr "
                  "pgq::unique rule` and a static key(), as in pgq/concept/uniqueness.hpp.");
};

template <class Policy>
struct unique_for_no_time {
    static_assert(never<Policy>,
                  "pgq: unique keys for a period of zero or less keep nothing apart. Give a positive one: during<1h>.");
};

template <class Policy>
struct unique_queue {
    static_assert(never<Policy>,
                  "pgq: unique keys are made for a whole queue. Give unique_by to one entrypoint: pgq::job<T, "
                  "pgq::unique_by<&T::member>>.");
};

template <class Job, class Policy>
struct unique_by_another_job {
    static_assert(
        never<Job, Policy>,
        "pgq: a unique key cannot be made of this job. Name members of the job itself that are text, integers, "
        "bools or enumerators.");
};

}  // namespace pgq::diagnostic
