#pragma once

#include <pgq/testing/laws/admin/actions.hpp>
#include <pgq/testing/laws/admin/listing.hpp>
#include <pgq/testing/laws/admin/overview.hpp>
#include <pgq/testing/laws/driver/acknowledge.hpp>
#include <pgq/testing/laws/driver/claim.hpp>
#include <pgq/testing/laws/driver/completion.hpp>
#include <pgq/testing/laws/driver/dependencies.hpp>
#include <pgq/testing/laws/driver/enqueue.hpp>
#include <pgq/testing/laws/driver/enqueued_at.hpp>
#include <pgq/testing/laws/driver/expiry.hpp>
#include <pgq/testing/laws/driver/filters.hpp>
#include <pgq/testing/laws/driver/find_one.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>
#include <pgq/testing/laws/driver/inspection.hpp>
#include <pgq/testing/laws/driver/leases.hpp>
#include <pgq/testing/laws/driver/rescue.hpp>
#include <pgq/testing/laws/driver/revisions.hpp>
#include <pgq/testing/laws/driver/settlements.hpp>
#include <pgq/testing/laws/driver/stop_requests.hpp>
#include <pgq/testing/laws/driver/take.hpp>
#include <pgq/testing/laws/driver/transactions.hpp>
#include <pgq/testing/laws/driver/unique_keys.hpp>
#include <pgq/testing/laws/driver/wakes.hpp>
#include <pgq/testing/laws/limits/by_key.hpp>
#include <pgq/testing/laws/limits/concurrency.hpp>
#include <pgq/testing/laws/limits/contention.hpp>
#include <pgq/testing/laws/limits/rate.hpp>
#include <pgq/testing/laws/schedules/changed.hpp>
#include <pgq/testing/laws/schedules/declared.hpp>
#include <pgq/testing/laws/schedules/fired.hpp>
#include <pgq/testing/laws/statistics.hpp>

namespace pgq::laws {

/// Checks the laws of drivers. The laws of `take` and of transactions are checked only if the sessions support these.
/// `make()` returns a driver with an empty, installed store; each law calls it again. The laws use real time: a law
/// waits up to 20 seconds for what must happen, and the whole check takes about half a minute.
template <class Driver, class Make>
void check_driver(Make make) {
    static_assert(worker_driver<Driver>);
    check_order_in_a_lane<Driver>(make);
    check_order_over_lanes<Driver>(make);
    check_claim_size<Driver>(make);
    check_concurrent_claims<Driver>(make);

    check_ids<Driver>(make);
    check_bodies<Driver>(make);
    check_headers<Driver>(make);
    check_full_lanes<Driver>(make);
    check_names<Driver>(make);
    check_enqueue_time<Driver>(make);

    check_delays<Driver>(make);
    check_promotion<Driver>(make);
    check_retry_and_release<Driver>(make);
    check_hold_and_requeue<Driver>(make);
    check_cancel<Driver>(make);

    check_finish<Driver>(make);
    if constexpr (can_overlap<typename Driver::session>) check_split_sync<Driver>(make);
    check_partial_leases<Driver>(make);
    check_fencing<Driver>(make);
    check_give_back<Driver>(make);
    check_counts<Driver>(make);
    check_find_one<Driver>(make);

    check_heartbeat<Driver>(make);
    check_rescue<Driver>(make);
    check_dead_worker<Driver>(make);

    check_concurrency_limit<Driver>(make);
    check_key_limit<Driver>(make);
    check_rate_limit<Driver>(make);
    check_limits_under_contention<Driver>(make);

    check_wake_targets<Driver>(make);
    check_wake_sources<Driver>(make);
    check_no_lost_wakes<Driver>(make);
    check_interrupt<Driver>(make);

    using session = typename Driver::session;
    check_single_job_leases<Driver>(make);
    if constexpr (can_acknowledge<session>) check_acknowledge<Driver>(make);
    check_unique_keys<Driver>(make);
    check_request_ids<Driver>(make);
    check_replacement<Driver>(make);
    check_dependencies<Driver>(make);
    check_failed_parents<Driver>(make);
    check_completion<Driver>(make);
    check_flags<Driver>(make);
    check_stop_requests<Driver>(make);
    check_expiry<Driver>(make);
    check_inspection<Driver>(make);
    check_dead_letter_routes<Driver>(make);
    check_pause<Driver>(make);
    check_drain<Driver>(make);

    if constexpr (can_keep_statistics<session>) check_statistics<Driver>(make);
    if constexpr (can_read_statistics<session>) {
        check_capped_counts<Driver>(make);
        check_latest_failures<Driver>(make);
    }

    if constexpr (can_list<session> && can_act<session>) {
        check_listed_lanes<Driver>(make);
        check_listed_jobs<Driver>(make);
        check_listed_workers<Driver>(make);
        check_actions<Driver>(make);
    }
    if constexpr (admin_session<session>) check_overview<Driver>(make);
    if constexpr (can_list<session> && can_forget_workers<session>) check_forgotten_workers<Driver>(make);

    check_revised_payloads<Driver>(make);
    check_progress<Driver>(make);

    if constexpr (can_schedule<session>) {
        check_declared_schedules<Driver>(make);
        check_fired_schedules<Driver>(make);
        check_changed_schedules<Driver>(make);
    }
    if constexpr (can_take<session>) check_take<Driver>(make);
    if constexpr (can_take<session>) check_take_of_tracked_jobs<Driver>(make);
    if constexpr (can_take<session>) check_filtered_claims<Driver>(make);
    if constexpr (can_take<session> && can_transact<session>) {
        check_filters<Driver>(make);
        check_transactions<Driver>(make);
    }
}

}  // namespace pgq::laws
