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

    /// The key is free again when the job begins.
    using while_waiting = basic_unique_by<unique_scope::while_waiting, Then, std::chrono::seconds{0}, Members...>;
    /// The key is taken for a time, whatever becomes of the job: `during<1h>`.
    template <static_duration For>
    using during = basic_unique_by<unique_scope::period, Then, For, Members...>;

    /// A second job is errc::duplicate_key, and nothing of its call is enqueued.
    using or_fail = basic_unique_by<Scope, on_duplicate::fail, Period, Members...>;
    /// The one that waits gets the payload of the second.
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
        // With their lengths, so that ("a", "b") and ("ab", "") differ whatever they hold.
        ((out.append(out.size() == begin ? "" : ","), one.clear(), append_key(std::invoke(Members, job), one),
          out.append(std::to_string(one.size())).append(":").append(one)),
         ...);
        out += ')';
    }
};

/// At most one job of a type for each value of these members: `pgq::job<digest, pgq::unique_by<&digest::user, &digest::day>>`. Every
/// enqueue of such a job that names no `unique_key` of its own has the key made of them; `unique_by<>` is one key for all.
///
/// A key is taken until its job has finished, and a second job is not enqueued: the answer is the first one's id. Both can be said otherwise:
///
///     pgq::unique_by<&digest::user>::while_waiting::or_replace
///     pgq::unique_by<&digest::user>::during<1h>::or_fail
///
/// The members are text, integers, bools or enumerators; text that is not UTF-8 or holds a zero byte is errc::invalid_text. Their texts, each with
/// its length in front, are the key: of {.user = "ada", .day = 17} it is `(3:ada,2:17)`, which whoever enqueues by other ways may write as well. Not
/// for enqueue_stream.
template <auto... Members>
using unique_by =
    basic_unique_by<unique_scope::until_finished, on_duplicate::skip, std::chrono::seconds{0}, Members...>;

static_assert(uniqueness_policy<unique_by<>>);

}  // namespace pgq
