#pragma once

#include <pgq/concept/admin.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/protocol/statistics.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace test {

/// All verbs of a session that is a decorator of another one. `Derived` has
///
/// - `on(name, call)`, which returns `call(inner)` or an error; all verbs go through it;
/// - `interrupt()` and `take_stop_request()`.
///
/// It may also have `told(name, out, call)`, which returns `call(inner, out)`, for verbs that fill something in.
template <class Derived>
class forwarding_session {
public:
    auto lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
        return self().on("lanes", [&](auto& s) { return s.lanes(queue, names); });
    }
    auto limits(std::string_view queue, std::span<const pgq::lane_limit> declared) {
        return self().on("limits", [&](auto& s) { return s.limits(queue, declared); });
    }
    auto change_limit(std::string_view queue, const pgq::lane_limit& limit) {
        return self().on("change_limit", [&](auto& s) { return s.change_limit(queue, limit); });
    }
    auto pause(const pgq::pause_request& what) {
        return self().on("pause", [&](auto& s) { return s.pause(what); });
    }
    auto resume(std::string_view queue, std::string_view entrypoint) {
        return self().on("resume", [&](auto& s) { return s.resume(queue, entrypoint); });
    }
    auto paused(std::string_view queue) {
        return self().on("paused", [&](auto& s) { return s.paused(queue); });
    }
    auto enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
        return self().forward_reply("enqueue", ids, [&](auto& s, auto& out) { return s.enqueue(r, out); });
    }
    auto enqueue_tracked(const pgq::tracked_request& r, std::vector<pgq::enqueued_job>& jobs) {
        return self().forward_reply("enqueue_tracked", jobs,
                                    [&](auto& s, auto& out) { return s.enqueue_tracked(r, out); });
    }
    auto take(const pgq::take_request& r, pgq::take_reply& reply) {
        return self().forward_reply("take", reply, [&](auto& s, auto& out) { return s.take(r, out); });
    }
    auto hold_taken(const pgq::taken_record& job, std::string_view reason) {
        return self().on("hold_taken", [&](auto& s) { return s.hold_taken(job, reason); });
    }

    auto cancel(std::span<const pgq::job_id> ids) {
        return self().on("cancel", [&](auto& s) { return s.cancel(ids); });
    }
    auto requeue(std::span<const pgq::job_id> ids) {
        return self().on("requeue", [&](auto& s) { return s.requeue(ids); });
    }
    auto held(pgq::lane_id lane, std::size_t limit) {
        return self().on("held", [&](auto& s) { return s.held(lane, limit); });
    }
    auto counts(pgq::lane_id lane) {
        return self().on("counts", [&](auto& s) { return s.counts(lane); });
    }
    auto find(const pgq::find_request& r, std::vector<pgq::job_id>& found) {
        return self().forward_reply("find", found, [&](auto& s, auto& out) { return s.find(r, out); });
    }
    auto find_one(pgq::job_id id) {
        return self().on("find_one", [&](auto& s) { return s.find_one(id); });
    }
    auto failures(pgq::job_id id) {
        return self().on("failures", [&](auto& s) { return s.failures(id); });
    }
    auto open_jobs(pgq::lane_id lane, std::int64_t most) {
        return self().on("open_jobs", [&](auto& s) { return s.open_jobs(lane, most); });
    }
    auto statistics(const pgq::statistics_request& r) {
        return self().on("statistics", [&](auto& s) { return s.statistics(r); });
    }
    auto counts_up_to(std::span<const pgq::lane_id> lanes, std::int64_t most) {
        return self().on("counts_up_to", [&](auto& s) { return s.counts_up_to(lanes, most); });
    }
    auto latest_failures(std::span<const pgq::lane_id> lanes, std::size_t limit) {
        return self().on("latest_failures", [&](auto& s) { return s.latest_failures(lanes, limit); });
    }
    auto set_dead_letter_routes(std::span<const pgq::lane_id> lanes, std::span<const pgq::lane_id> to) {
        return self().on("set_dead_letter_routes", [&](auto& s) { return s.set_dead_letter_routes(lanes, to); });
    }
    auto progress_of(pgq::job_id id) {
        return self().on("progress_of", [&](auto& s) { return s.progress_of(id); });
    }

    auto sync(const pgq::sync_request& r, pgq::sync_reply& reply) {
        return self().forward_reply("sync", reply, [&](auto& s, auto& out) { return s.sync(r, out); });
    }
    auto wait(pgq::duration timeout) {
        return self().on("wait", [&](auto& s) { return s.wait(timeout); });
    }
    auto register_worker(const pgq::worker_info& info) {
        return self().on("register_worker", [&](auto& s) { return s.register_worker(info); });
    }
    auto beat(pgq::worker_id id, const pgq::minute_report& report) {
        return self().on("beat", [&](auto& s) { return s.beat(id, report); });
    }
    auto retire(pgq::worker_id id, const pgq::minute_report& report) {
        return self().on("retire", [&](auto& s) { return s.retire(id, report); });
    }
    auto beat(pgq::worker_id id) {
        return self().on("beat", [&](auto& s) { return s.beat(id); });
    }
    auto rescue() {
        return self().on("rescue", [](auto& s) { return s.rescue(); });
    }
    auto retire(pgq::worker_id id) {
        return self().on("retire", [&](auto& s) { return s.retire(id); });
    }
    auto leases_of(pgq::worker_id id) {
        return self().on("leases_of", [&](auto& s) { return s.leases_of(id); });
    }
    auto lease_updates(pgq::worker_id id) {
        return self().on("lease_updates", [&](auto& s) { return s.lease_updates(id); });
    }
    auto give_back(std::span<const pgq::lease_ref> leases) {
        return self().on("give_back", [&](auto& s) { return s.give_back(leases); });
    }
    auto watch(std::span<const pgq::job_id> ids, pgq::duration keep_for, std::vector<pgq::ended_job>& ended) {
        return self().forward_reply("watch", ended, [&](auto& s, auto& out) { return s.watch(ids, keep_for, out); });
    }
    auto expire_and_purge() {
        return self().on("expire_and_purge", [](auto& s) { return s.expire_and_purge(); });
    }
    auto revise(const pgq::revision& r) {
        return self().on("revise", [&](auto& s) { return s.revise(r); });
    }

    auto list_lanes(const pgq::lane_query& q) {
        return self().on("list_lanes", [&](auto& s) { return s.list_lanes(q); });
    }
    auto list_jobs(const pgq::job_search& r) {
        return self().on("list_jobs", [&](auto& s) { return s.list_jobs(r); });
    }
    auto list_workers(pgq::worker_id after, std::int64_t most) {
        return self().on("list_workers", [&](auto& s) { return s.list_workers(after, most); });
    }
    auto failed_groups(std::optional<std::span<const pgq::lane_id>> lanes, std::int64_t most) {
        return self().on("failed_groups", [&](auto& s) { return s.failed_groups(lanes, most); });
    }
    auto act(const pgq::action_request& r) {
        return self().on("act", [&](auto& s) { return s.act(r); });
    }
    auto forget_worker(pgq::worker_id id, bool forced) {
        return self().on("forget_worker", [&](auto& s) { return s.forget_worker(id, forced); });
    }

    template <class Out, class Call>
    auto forward_reply(const char* name, Out& out, Call call) {
        return self().on(name, [&](auto& s) { return call(s, out); });
    }

private:
    Derived& self() noexcept { return static_cast<Derived&>(*this); }
};

}  // namespace test
