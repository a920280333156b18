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

/// See unique_by.
template <unique_scope Scope, on_duplicate Then, static_duration Period, auto... Members>
struct basic_unique_by {
    using policy_category = uniqueness_tag;

    /// The key is free again when the job starts.
    using while_waiting = basic_unique_by<unique_scope::while_waiting, Then, std::chrono::seconds{0}, Members...>;
    /// The key is taken for a time, also after the job has ended: `during<1h>`.
    template <static_duration For>
    using during = basic_unique_by<unique_scope::period, Then, For, Members...>;

    /// A call with a second job fails with errc::duplicate_key and enqueues nothing.
    using or_fail = basic_unique_by<Scope, on_duplicate::fail, Period, Members...>;
    /// The job that is enqueued gets the payload of the second.
    using or_replace = basic_unique_by<Scope, on_duplicate::replace, Period, Members...>;
    /// ... and its `run_at`.
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
        // The lengths make ("a", "b") and ("ab", "") different keys.
        ((out.append(out.size() == begin ? "" : ","), one.clear(), append_key(std::invoke(Members, job), one),
          out.append(std::to_string(one.size())).append(":").append(one)),
         ...);
        out += ')';
    }
};

/// At most one job of a type for each value of these members: `pgq::job<digest, pgq::unique_by<&digest::user,
/// &digest::day>>`. The policy makes the unique key of each job that is enqueued without `unique_key`. With
/// `unique_by<>` all jobs have one key.
///
/// A key is taken until its job has ended. A second job is not enqueued, and its call answers with the id of the first.
/// Both can be changed:
///
///     pgq::unique_by<&digest::user>::while_waiting::or_replace
///     pgq::unique_by<&digest::user>::during<1h>::or_fail
///
/// The members are text, integers, bools or enumerators. Text that is not UTF-8 or holds a zero byte is
/// errc::invalid_text. The key is their texts, each with its length in front: `(3:ada,2:17)` for {.user = "ada", .day =
/// 17}. Programs in other languages can make the same key. Not for enqueue_stream.
template <auto... Members>
using unique_by =
    basic_unique_by<unique_scope::until_finished, on_duplicate::skip, std::chrono::seconds{0}, Members...>;

static_assert(uniqueness_policy<unique_by<>>);

}  // namespace pgq
