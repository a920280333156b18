#pragma once

#include <pgq/concept/admin.hpp>
#include <pgq/concept/driver.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// A session that holds no job and answers each verb with nothing. A test derives from it and declares the verbs that
/// matter.
struct fake_session {
    pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view, std::span<const pgq::lane_name> names) {
        return std::vector<pgq::lane_id>(names.size());
    }
    pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view, std::span<const pgq::lane_limit>) {
        return std::vector<pgq::lane_limit>{};
    }
    pgq::result<bool> change_limit(std::string_view, const pgq::lane_limit&) { return false; }
    pgq::result<bool> pause(const pgq::pause_request&) { return false; }
    pgq::result<bool> resume(std::string_view, std::string_view) { return false; }
    pgq::result<std::vector<pgq::paused_scope>> paused(std::string_view) { return std::vector<pgq::paused_scope>{}; }
    pgq::result<void> enqueue(const pgq::enqueue_request&, std::vector<pgq::job_id>&) { return {}; }
    pgq::result<void> enqueue_tracked(const pgq::tracked_request&, std::vector<pgq::enqueued_job>&) { return {}; }

    pgq::result<pgq::cancel_reply> cancel(std::span<const pgq::job_id>) { return pgq::cancel_reply{}; }
    pgq::result<std::int64_t> requeue(std::span<const pgq::job_id>) { return std::int64_t{0}; }
    pgq::result<std::vector<pgq::held_job>> held(pgq::lane_id, std::size_t) { return std::vector<pgq::held_job>{}; }
    pgq::result<pgq::lane_counts> counts(pgq::lane_id) { return pgq::lane_counts{}; }
    pgq::result<void> find(const pgq::find_request&, std::vector<pgq::job_id>&) { return {}; }
    pgq::result<std::optional<pgq::found_job>> find_one(pgq::job_id) { return std::optional<pgq::found_job>{}; }
    pgq::result<std::vector<pgq::failed_attempt>> failures(pgq::job_id) { return std::vector<pgq::failed_attempt>{}; }
    pgq::result<std::int64_t> open_jobs(pgq::lane_id, std::int64_t) { return std::int64_t{0}; }
    pgq::result<void> set_dead_letter_routes(std::span<const pgq::lane_id>, std::span<const pgq::lane_id>) {
        return {};
    }
    pgq::result<std::optional<std::string>> progress_of(pgq::job_id) { return std::optional<std::string>{}; }

    pgq::result<void> sync(const pgq::sync_request&, pgq::sync_reply&) { return {}; }
    pgq::result<pgq::wake_reason> wait(pgq::duration) { return pgq::wake_reason::timeout; }
    void interrupt() noexcept {}
    pgq::result<pgq::worker_id> register_worker(const pgq::worker_info&) { return pgq::worker_id{}; }
    pgq::result<pgq::beat_reply> beat(pgq::worker_id) { return pgq::beat_reply{.alive = true}; }
    pgq::result<pgq::rescue_reply> rescue() { return pgq::rescue_reply{}; }
    pgq::result<std::vector<pgq::held_by_rescue>> retire(pgq::worker_id) { return std::vector<pgq::held_by_rescue>{}; }
    pgq::result<std::vector<pgq::lease_update>> leases_of(pgq::worker_id) { return std::vector<pgq::lease_update>{}; }
    pgq::result<std::vector<pgq::held_by_rescue>> give_back(std::span<const pgq::lease_ref>) {
        return std::vector<pgq::held_by_rescue>{};
    }
    pgq::result<std::vector<pgq::lease_update>> lease_updates(pgq::worker_id) {
        return std::vector<pgq::lease_update>{};
    }
    bool take_stop_request() noexcept { return false; }
    pgq::result<void> watch(std::span<const pgq::job_id>, pgq::duration, std::vector<pgq::ended_job>&) { return {}; }
    pgq::result<pgq::purge_reply> expire_and_purge() { return pgq::purge_reply{}; }
    pgq::result<void> revise(const pgq::revision&) { return {}; }

    pgq::result<std::vector<pgq::listed_lane>> list_lanes(const pgq::lane_query&) {
        return std::vector<pgq::listed_lane>{};
    }
    pgq::result<pgq::job_page> list_jobs(const pgq::job_search&) { return pgq::job_page{}; }
    pgq::result<std::vector<pgq::listed_worker>> list_workers(pgq::worker_id, std::int64_t) {
        return std::vector<pgq::listed_worker>{};
    }
    pgq::result<std::vector<pgq::failed_group>> failed_groups(std::optional<std::span<const pgq::lane_id>>,
                                                              std::int64_t) {
        return std::vector<pgq::failed_group>{};
    }
    pgq::result<pgq::action_reply> act(const pgq::action_request&) { return pgq::action_reply{}; }
    pgq::result<pgq::forget_reply> forget_worker(pgq::worker_id, bool) { return pgq::forget_reply{}; }
};
static_assert(pgq::worker_session<fake_session>);

/// A driver of such sessions.
template <class Session = fake_session>
struct fake_driver {
    using policy_category = pgq::driver_tag;
    using session = Session;
    pgq::result<session> connect(pgq::session_role) const { return session{}; }
    pgq::result<void> install() const { return {}; }
};
static_assert(pgq::worker_driver<fake_driver<>>);

}  // namespace test
