#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/cron/every.hpp>
#include <pgq/cron/literal.hpp>
#include <pgq/cron/refused.hpp>

#include <string_view>

namespace pgq::schedule {

/// A policy of a job type: its default-constructed job is enqueued at each time of a cron expression, in UTC.
///
///     pgq::job<clean_up, pgq::schedule::cron<"0 3 * * *">>
///
/// Each worker that serves the job type stores the schedule when it starts, under the name of the entrypoint, and fires
/// the schedules of the queue while it runs.
template <::pgq::cron::literal Expression>
struct cron {
    using policy_category = schedule_tag;
    static constexpr std::string_view expression = Expression.view();

private:
    // As pgq::cron::valid. As a constraint it would make Clang print a second error.
    static constexpr auto error = ::pgq::cron::detail::read<Expression>.error;
    static_assert(sizeof(::pgq::cron::refused<error.what, error.where, error.character>) != 0);
};

}  // namespace pgq::schedule
