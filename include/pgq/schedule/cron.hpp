#pragma once

#include <pgq/compose/find_policy.hpp>
#include <pgq/concept/policy.hpp>
#include <pgq/cron/every.hpp>
#include <pgq/cron/literal.hpp>
#include <pgq/cron/refused.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/schedule/policy_options.hpp>

#include <string_view>

namespace pgq::schedule {

/// A policy of a job type: its default-constructed job is enqueued at each time of a cron expression, in UTC.
///
///     pgq::job<clean_up, pgq::schedule::cron<"0 3 * * *">>
///     pgq::job<report, pgq::schedule::cron<"@hourly", pgq::schedule::jitter<30s>,
///                                          pgq::schedule::overlap<pgq::overlap::skip>>>
///
/// Each worker that serves the job type stores the schedule when it starts, under the name of the entrypoint, and fires
/// the schedules of the queue while it runs. The options are those in schedule/policy_options.hpp.
template <::pgq::cron::literal Expression, class... Options>
struct cron {
private:
    using zone_option = ::pgq::detail::find_policy_t<schedule_zone_tag, zone<"UTC">, Options...>;

public:
    using policy_category = schedule_tag;
    using options = ::pgq::detail::type_list<Options...>;
    static constexpr std::string_view expression = Expression.view();

    /// `to`: a schedule_options.
    template <class To>
    static void set([[maybe_unused]] To& to) {
        (Options::set(to), ...);
    }
    /// Of the option that names the zone, if it needs one.
    static auto find_zone(std::string_view name) requires requires { zone_option::find(name); }
    { return zone_option::find(name); }

private:
    // As pgq::cron::valid. As a constraint it would make Clang print a second error.
    static constexpr auto error = ::pgq::cron::detail::read<Expression>.error;
    static_assert(sizeof(::pgq::cron::refused<error.what, error.where, error.character>) != 0);
};

}  // namespace pgq::schedule
