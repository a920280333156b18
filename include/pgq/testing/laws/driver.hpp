#pragma once

#include <pgq/testing/laws/driver/acknowledging.hpp>
#include <pgq/testing/laws/driver/depending.hpp>
#include <pgq/testing/laws/driver/dying.hpp>
#include <pgq/testing/laws/driver/expiring.hpp>
#include <pgq/testing/laws/driver/filtering.hpp>
#include <pgq/testing/laws/driver/leasing.hpp>
#include <pgq/testing/laws/driver/limiting.hpp>
#include <pgq/testing/laws/driver/revising.hpp>
#include <pgq/testing/laws/driver/settling.hpp>
#include <pgq/testing/laws/driver/stopping.hpp>
#include <pgq/testing/laws/driver/storing.hpp>
#include <pgq/testing/laws/driver/taking.hpp>
#include <pgq/testing/laws/driver/taking_away.hpp>
#include <pgq/testing/laws/driver/transacting.hpp>
#include <pgq/testing/laws/driver/unique_keys.hpp>
#include <pgq/testing/laws/driver/waking.hpp>
#include <pgq/testing/laws/driver/watching.hpp>
#include <pgq/testing/laws/driver/world.hpp>

namespace pgq::laws {

/// What every driver must keep; of taking by hand and of transactions, when its sessions do that. `make()` gives a driver with an empty, installed store; it is called anew for each law.
/// Time is real: a law waits for what must come and gives up after twenty seconds.
template <class Driver, class Make>
void check_driver(Make make) {
    static_assert(worker_driver<Driver>);
    check_order_in_a_lane<Driver>(make);
    check_order_over_lanes<Driver>(make);
    check_amount<Driver>(make);
    check_sharing<Driver>(make);

    check_ids<Driver>(make);
    check_bodies<Driver>(make);
    check_headers<Driver>(make);
    check_names<Driver>(make);

    check_delays<Driver>(make);
    check_promotion<Driver>(make);
    check_retry_and_release<Driver>(make);
    check_hold_and_requeue<Driver>(make);
    check_cancel<Driver>(make);

    check_finishing<Driver>(make);
    if constexpr (can_overlap<typename Driver::session>) check_exchange_in_halves<Driver>(make);
    check_partial_leases<Driver>(make);
    check_fencing<Driver>(make);
    check_leaving<Driver>(make);
    check_counts<Driver>(make);

    check_heartbeat<Driver>(make);
    check_rescue<Driver>(make);
    check_afterlife<Driver>(make);

    check_concurrency_limit<Driver>(make);
    check_key_limit<Driver>(make);
    check_rate_limit<Driver>(make);
    check_limits_in_a_race<Driver>(make);

    check_who_is_woken<Driver>(make);
    check_what_wakes<Driver>(make);
    check_no_wake_is_lost<Driver>(make);
    check_interrupt<Driver>(make);

    using session = typename Driver::session;
    check_leases_of_one<Driver>(make);
    if constexpr (can_acknowledge<session>) check_acknowledging<Driver>(make);
    check_unique_keys<Driver>(make);
    check_replacement<Driver>(make);
    check_dependencies<Driver>(make);
    check_failing_parents<Driver>(make);
    check_watching<Driver>(make);
    check_flags<Driver>(make);
    check_stopping<Driver>(make);
    check_expiry<Driver>(make);

    check_revised_payloads<Driver>(make);
    check_progress_of_jobs<Driver>(make);

    if constexpr (can_take<session>) check_take<Driver>(make);
    if constexpr (can_take<session>) check_taking_tracked<Driver>(make);
    if constexpr (can_take<session>) check_claims_apart<Driver>(make);
    if constexpr (can_take<session> && can_transact<session>) {
        check_filters<Driver>(make);
        check_transactions<Driver>(make);
    }
}

}  // namespace pgq::laws
