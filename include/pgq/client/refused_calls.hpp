#pragma once

#include <pgq/client/unavailable.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/options.hpp>

#include <concepts>
#include <initializer_list>
#include <ranges>
#include <type_traits>

// Calls of enqueue that cannot work. They are chosen only if no other overload fits, and each has a message in place of
// the list of all overloads.
namespace pgq::detail {

template <class Range, class Composition>
concept range_of_jobs = std::ranges::input_range<Range> && !Composition::template contains<std::remove_cvref_t<Range>>;

template <class Tx>
concept borrowed_transaction = requires {
    typename Tx::is_borrowed_transaction;
};

/// Anything, also a list in braces. The conversion makes an overload with it the last choice.
struct any_argument {
    any_argument();
    template <class T>
    any_argument(const T&);
    template <class T>
    any_argument(std::initializer_list<T>);
};

/// The right option names, and among them names of other libraries and misspelled names. A wrong name in braces fits no
/// overload; only an aggregate that has a member of this name can produce a message. All options are in it, in their
/// order.
struct misnamed_options {
    any_argument prio{}, priorty{}, rank{}, weight{}, importance{}, urgent{};
    any_argument priority{};
    any_argument delay{}, delay_by{}, delay_ms{}, in{}, at{}, when{}, start_at{}, start_in{}, start_after{},
        run_after{}, run_in{}, eta{}, countdown{}, schedule{}, schedule_at{}, scheduled_at{}, scheduled_for{},
        schedule_in{}, not_before{}, execute_at{}, execute_after{}, visible_at{}, due{}, due_at{};
    any_argument run_at{};
    any_argument deadline{}, expected{}, expect_at{}, expected_by{};
    any_argument expected_at{};
    any_argument header{}, attributes{}, metadata{}, meta{}, tags{}, labels{};
    any_argument headers{};
    any_argument key{}, unique{}, unique_id{}, dedup{}, dedup_key{}, dedupe_key{}, deduplication_key{},
        idempotency_key{}, id{}, job_id{}, job_key{};
    any_argument unique_key{};
    any_argument parents{}, parent{}, depends_on{}, depends{}, dependencies{}, wait_for{}, waits_for{};
    any_argument after{}, if_parent_fails{};
    any_argument ttl{}, expires{}, expires_in{}, expire_at{}, expire_in{}, expiry{}, expiration{}, valid_until{};
    any_argument expires_at{}, if_expired{};
    any_argument retry{}, retries{}, retry_limit{}, max_retries{}, attempts{}, tries{}, max_tries{};
    any_argument max_attempts{};
    any_argument time_limit{}, max_runtime{}, max_duration{}, execution_timeout{}, job_timeout{};
    any_argument timeout{};
    any_argument keep{}, keep_result{}, keep_results{}, retention{}, result_ttl{};
    any_argument keep_outcome{};
    any_argument max_length{}, max_size{}, limit{}, capacity{}, bound{};
    any_argument at_most{}, wait_for_room{};
    any_argument pack{}, backoff{}, queue{}, queue_name{}, lane{}, name{};
    any_argument packed{};
    any_argument request{}, request_key{}, request_uuid{}, idempotent{}, idempotency{}, retry_key{};
    any_argument request_id{};
};

/// `Composition` is that of a queue or of its transaction.
template <class Composition>
class refused_calls {
    template <class T>
    static constexpr bool is_job = Composition::template contains<T>;
    // The second argument gives the options of each job.
    template <class What, class Second>
    static constexpr bool is_per_job = [] {
        if constexpr (std::ranges::input_range<What>) {
            return std::is_invocable_r_v<enqueue_options, Second&, std::ranges::range_reference_t<What>>;
        } else return false;
    }();

public:
    using refused = result<unavailable_handle>;

    template <class What, class Second, class... Rest>
        requires(!borrowed_transaction<What> && !std::convertible_to<const Second&, enqueue_options> &&
                 !is_per_job<const What&, Second>)
    refused enqueue(const What&, const Second&, const Rest&...) {
        if constexpr (is_job<What> && is_job<Second>) (void)sizeof(diagnostic::several_jobs<What, Second>);
        else (void)sizeof(diagnostic::no_enqueue_options<Second>);
        return errc::invalid_option;
    }
    template <class Options>
    refused refuse_options() {
        (void)sizeof(diagnostic::unknown_option<Options>);
        return errc::invalid_option;
    }
    refused enqueue(const any_argument&, const misnamed_options&) { return refuse_options<misnamed_options>(); }

    template <class... What>
    refused enqueue(const What&...) const {
        (void)sizeof(diagnostic::const_queue<Composition, What...>);
        return errc::invalid_option;
    }
    refused enqueue(const any_argument&, const enqueue_options&) const { return enqueue(); }
};

}  // namespace pgq::detail
