#pragma once

#include <pgq/concept/uniqueness.hpp>
#include <pgq/diagnostic/never.hpp>

// Compile-time messages about policies that make unique keys.
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
                  "pgq: a unique key for a period of zero or less has no effect. Give a positive period: during<1h>.");
};

template <class Policy>
struct unique_queue {
    static_assert(
        never<Policy>,
        "pgq: a whole queue has unique_by. Move it to one entrypoint: pgq::job<T, pgq::unique_by<&T::member>>.");
};

template <class Job, class Policy>
struct unique_by_another_job {
    static_assert(never<Job, Policy>,
                  "pgq: unique_by cannot make a key from this job. Name members of this job that are text, integers, "
                  "bools or enumerators.");
};

}  // namespace pgq::diagnostic
