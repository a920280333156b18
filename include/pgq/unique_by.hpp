#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/concept/uniqueness.hpp>
#include <pgq/job/key.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/time/static_duration.hpp>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

namespace pgq {

/// The class behind the alias `unique_by`.
template <unique_scope Scope, on_duplicate Then, static_duration Period, auto... Members>
struct basic_unique_by {
    using policy_category = uniqueness_tag;

    /// The job keeps its key until it starts.
    using while_waiting = basic_unique_by<unique_scope::while_waiting, Then, std::chrono::seconds{0}, Members...>;
    /// The job keeps its key for a fixed time, whatever happens to it: `during<1h>`.
    template <static_duration For>
    using during = basic_unique_by<unique_scope::period, Then, For, Members...>;

    /// A second job with the key is an error: its enqueue fails with errc::duplicate_key and enqueues nothing.
    using or_fail = basic_unique_by<Scope, on_duplicate::fail, Period, Members...>;
    /// The waiting job gets the payload of the second job.
    using or_replace = basic_unique_by<Scope, on_duplicate::replace, Period, Members...>;
    /// The waiting job gets the payload and the `run_at` of the second job.
    using or_debounce = basic_unique_by<Scope, on_duplicate::debounce, Period, Members...>;

    static constexpr unique rule = [] {
        unique u;
        if (Scope == unique_scope::while_waiting) u = u.while_waiting();
        if (Scope == unique_scope::period) u = u.during(Period.value());
        if (Then == on_duplicate::fail) u = u.or_fail();
        if (Then == on_duplicate::replace) u = u.or_replace();
        if (Then == on_duplicate::debounce) u = u.or_debounce();
        return u;
    }();

    template <class Job>
        requires((std::invocable<decltype(Members), const Job&> &&
                  has_key_text<std::remove_cvref_t<std::invoke_result_t<decltype(Members), const Job&>>>)&&...)
    static void key([[maybe_unused]] const Job& job, std::string& out) {
        out += '(';
        [[maybe_unused]] const std::size_t begin = out.size();
        [[maybe_unused]] std::string one;
        // The lengths keep keys of different members different: ("a", "b") and ("ab", "").
        ((out.append(out.size() == begin ? "" : ","), one.clear(), append_key(std::invoke(Members, job), one),
          out.append(std::to_string(one.size())).append(":").append(one)),
         ...);
        out += ')';
    }
};

/// At most one job for each value of these members: `pgq::job<digest, pgq::unique_by<&digest::user, &digest::day>>`.
/// Every enqueue makes the unique key of the job from its members, unless the caller sets `unique_key`. With
/// `unique_by<>` all jobs of the type have the same key.
///
/// By default a job keeps its key until it has finished, and a second job with the key is not enqueued: the call
/// returns the id of the first job. Both can be changed:
///
///     pgq::unique_by<&digest::user>::while_waiting::or_replace
///     pgq::unique_by<&digest::user>::during<1h>::or_fail
///
/// The members must be text, integers, bools or enumerators. A text with a zero byte or invalid UTF-8 is
/// errc::invalid_text.
///
/// The key is the texts of the members, each after its length in bytes. For {.user = "ada", .day = 17} it is
/// `(3:ada,2:17)`. A program that enqueues in another way, for example in SQL, may write the same key. It does not work
/// with enqueue_stream.
template <auto... Members>
using unique_by =
    basic_unique_by<unique_scope::until_finished, on_duplicate::skip, std::chrono::seconds{0}, Members...>;

static_assert(uniqueness_policy<unique_by<>>);

}  // namespace pgq
