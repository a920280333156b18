#pragma once

#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/sql_functions.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/compose/problem.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/sql_functions/entrypoint_function.hpp>
#include <pgq/sql_functions/options.hpp>
#include <pgq/sql_functions/script.hpp>

#include <string>
#include <type_traits>

namespace pgq {

namespace detail {

template <class Composition, class Job>
inline constexpr bool is_secret_payload =
    encrypting_serializer<typename Composition::template serializer_of<Job>> || holds_sensitive<Job>;

template <class Composition, class Job>
consteval auto sql_payload_problem() {
    using serializer = typename Composition::template serializer_of<Job>;
    constexpr bool fits = is_secret_payload<Composition, Job> || !std::is_void_v<sql::plain_json_t<serializer>>;
    return unless<fits, diagnostic::payload_not_for_sql<Job, serializer>>{};
}

template <class Composition, class Job>
result<void> add_sql_function(sql::script& script) {
    if constexpr (is_secret_payload<Composition, Job>) {
        script.leave_out(entrypoint_of<Job>, "its payload is encrypted");
        return {};
    } else if constexpr (!std::is_void_v<typename Composition::template uniqueness_of<Job>>) {
        script.leave_out(entrypoint_of<Job>, "its unique key is made by the program");
        return {};
    } else if constexpr (settings_for<Composition, Job>::tracks) {
        script.leave_out(entrypoint_of<Job>, "its jobs expire, or their ends are kept: only the program stores that");
        return {};
    } else {
        const auto lane = Composition::lanes[Composition::template lane_of<Job>].name;
        return script.add(sql::entrypoint_function<Composition, Job>{script.settings()}.text(), lane.entrypoint,
                          lane.version);
    }
}

template <class Composition, class... Jobs>
result<std::string> sql_functions_for(const sql_options& options, type_list<Jobs...>) {
    if constexpr ((diagnostic::require_known_job<Composition, Jobs>::value && ...)) {
        using wrong = first_problem_t<decltype(sql_payload_problem<Composition, Jobs>())...>;
        static_assert(sizeof(typename wrong::message) != 0);
        if constexpr (is_fine<wrong>) {
            sql::script script{options};
            if (auto fine = script.check(); !fine) return fine.error();
            script.add_helpers();
            result<void> added;
            ((added ? void(added = add_sql_function<Composition, Jobs>(script)) : void()), ...);
            if (!added) return added.error();
            return script.text();
        }
    }
    return errc::invalid_option;
}

}  // namespace detail

/// A script with an SQL function for each entrypoint of a queue, so that SQL, triggers and other languages can enqueue
/// jobs:
///
///     SELECT pgq_jobs.enqueue_send_email('{"to": "ada@example.org"}', priority => 5);
///     SELECT pgq_jobs.enqueue_send_email("to" => 'ada@example.org', run_at => now() + interval '1 hour');
///
/// A function checks the payload and stores what serializer::json would write, in the caller's transaction. The caller
/// needs no right but EXECUTE. The script may run again; the script of a changed program replaces the functions. See
/// docs/sql.md.
///
/// Three kinds of entrypoints get a comment instead of a function: their payload is encrypted, a policy makes their
/// unique keys, or only the program can compute the key of their limit.
///
/// Errors: errc::invalid_name, for a name in the options that PostgreSQL does not accept, and for two functions of one
/// name. It connects to no database.
template <class Queue>
result<std::string> sql_functions(const sql_options& options = {}) {
    using composition = typename Queue::composition_type;
    return detail::sql_functions_for<composition>(options, typename composition::jobs{});
}

/// The same for these job types of the queue only.
template <class Queue, class First, class... Jobs>
result<std::string> sql_functions(const sql_options& options = {}) {
    return detail::sql_functions_for<typename Queue::composition_type>(options, detail::type_list<First, Jobs...>{});
}

}  // namespace pgq
