#pragma once

#include <pgq/concept/admin.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/statistics.hpp>
#include <pgq/driver/memory/admin_verbs.hpp>
#include <pgq/driver/memory/command/admin.hpp>
#include <pgq/driver/memory/command/enqueue.hpp>
#include <pgq/driver/memory/command/schedule.hpp>
#include <pgq/driver/memory/command/sync.hpp>
#include <pgq/driver/memory/command/take.hpp>
#include <pgq/driver/memory/command/tracking.hpp>
#include <pgq/driver/memory/command/workers.hpp>
#include <pgq/driver/memory/database.hpp>
#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/lane_table.hpp>
#include <pgq/driver/memory/table/tables.hpp>
#include <pgq/driver/memory/table/undo_log.hpp>
#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/time/manual_clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver {

/// Keeps jobs in this process; they end with it. For tests, and for measuring a worker without a database.
///
/// Copies are handles to one in-memory database. It lives as long as the last copy or the last session. Everything
/// works as in PostgreSQL, except that nothing is durable. Any thread may use a driver; see `session` for sessions.
class memory {
public:
    using policy_category = driver_tag;
    class session;

    memory() : db_{in_memory::database::make({})} {}

    /// A database that follows `clock` alone: run times, lease times and the time-outs of waits.
    static memory with_clock(manual_clock clock) {
        return memory{in_memory::database::make(in_memory::clock{std::move(clock)})};
    }

    result<session> connect(session_role role) const;
    result<void> install() const { return {}; }

private:
    explicit memory(std::shared_ptr<in_memory::database> db) : db_{std::move(db)} {}

    std::shared_ptr<in_memory::database> db_;
};

/// The verbs are described in concept/driver.hpp. Each verb is one step under the mutex of the database. Only one
/// thread at a time may use a session, except for `interrupt`. A moved-from session can only be assigned to or
/// destroyed.
class memory::session : public in_memory::admin_verbs<session> {
public:
    explicit session(std::shared_ptr<in_memory::database> db)
        : db_{std::move(db)}, waiter_{std::make_shared<in_memory::waiter>()} {}
    session(session&&) noexcept = default;
    session& operator=(session&& other) noexcept {
        session old{std::move(*this)};
        db_ = std::move(other.db_);
        waiter_ = std::move(other.waiter_);
        log_ = std::move(other.log_);
        return *this;
    }
    ~session() {
        if (log_) roll_back(*log_);
        if (waiter_) db_->remove_session(*waiter_);
    }

    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        if (const auto ok = in_memory::lane_table::check_name(queue); !ok) return ok.error();
        for (const auto& name : names)
            if (const auto ok = in_memory::lane_table::check_name(name.entrypoint); !ok) return ok.error();
        return db_->run([&](tables& db) {
            std::vector<lane_id> out;
            for (const auto& name : names)
                out.push_back(db.lanes.find_or_add(
                    {std::string{queue}, std::string{name.entrypoint}, std::string{name.version}}, db.jobs));
            return out;
        });
    }
    result<std::vector<lane_limit>> limits(std::string_view queue, std::span<const lane_limit> declared) {
        return db_->run([&](tables& db) { return db.limits.declare(queue, declared, db.clock.steady_now()); });
    }
    result<bool> change_limit(std::string_view queue, const lane_limit& limit) {
        return db_->run([&](tables& db) { return in_memory::change_limit(db, queue, limit); });
    }
    result<bool> pause(const pause_request& what) {
        return db_->run([&](tables& db) { return in_memory::pause(db, what); });
    }
    result<bool> resume(std::string_view queue, std::string_view entrypoint) {
        return db_->run([&](tables& db) { return in_memory::resume(db, queue, entrypoint); });
    }
    result<std::vector<paused_scope>> paused(std::string_view queue) {
        return db_->run([&](tables& db) { return db.pauses.of(queue); });
    }
    /// Replaces the contents of `ids`.
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) {
        ids.clear();
        if (r.bodies == nullptr || r.bodies->empty()) return {};
        if (r.form() == insert_form::tracked) return enqueue_all_tracked(r, ids);
        if (auto ok = in_memory::check(r); !ok) return ok;
        const auto bytes = in_memory::copy_bytes(r);
        ids.reserve(r.bodies->size());
        return db_->run([&](tables& db) { return in_memory::enqueue(db, r, bytes, ids, log_.get()); });
    }
    result<void> sync(const sync_request& r, sync_reply& reply) {
        in_memory::clear(reply);
        std::vector<in_memory::job_array> dropped;  // its destructor runs after the mutex is released
        return db_->run([&](tables& db) { return in_memory::sync_worker(db, r, reply, waiter_, dropped); });
    }
    result<void> take(const take_request& r, take_reply& reply) {
        reply.jobs.clear(), reply.next_due.reset();
        if (r.where)
            if (auto ok = r.where->check(); !ok) return ok;
        db_->run([&](tables& db) { in_memory::take(db, r, reply, log_.get()); });
        return {};
    }
    result<void> hold_taken(const taken_record& job, std::string_view reason) {
        db_->run([&](tables& db) { in_memory::hold_taken(db, job, reason, log_.get()); });
        return {};
    }

    result<void> begin() {
        if (log_) return error_info{errc::invalid_option, "a transaction is open already"};
        log_ = std::make_unique<in_memory::undo_log>();
        return {};
    }
    result<void> commit() {
        if (!log_) return no_transaction();
        const auto log = std::exchange(log_, nullptr);
        db_->run([&](tables& db) { log->commit(db.jobs, db.clock.now()); });
        return {};
    }
    result<void> rollback() {
        if (!log_) return no_transaction();
        roll_back(*std::exchange(log_, nullptr));
        return {};
    }
    /// See concept/transaction.hpp.
    result<bool> commit_acknowledging(worker_id worker, const lease_ref& lease,
                                      std::optional<std::string_view> written) {
        if (!log_) return no_transaction();
        return commit_and_acknowledge(*std::exchange(log_, nullptr), worker, lease, written);
    }
    result<bool> acknowledge(worker_id worker, const lease_ref& lease) {
        in_memory::undo_log nothing;
        return commit_and_acknowledge(nothing, worker, lease, std::nullopt);
    }
    result<bool> owns_lease(worker_id worker, const lease_ref& lease) {
        return db_->run([&](tables& db) { return db.leases.find(lease.id, worker) != nullptr; });
    }

    result<void> savepoint() {
        if (!log_) return no_transaction();
        return log_->savepoint(), result<void>{};
    }
    result<void> rollback_to_savepoint() {
        if (!log_ || !log_->has_savepoint()) return no_transaction();
        db_->run([&](tables& db) { log_->rollback_to_savepoint(db.jobs); });
        return {};
    }
    result<void> release_savepoint() {
        if (!log_ || !log_->has_savepoint()) return no_transaction();
        return log_->release_savepoint(), result<void>{};
    }

    result<wake_reason> wait(duration timeout) { return db_->wait(*waiter_, timeout); }
    /// Whether `wait` would return at once. A simulation asks for this, because it must not block.
    bool would_wake() noexcept { return db_->would_wake(*waiter_); }
    /// May be called from any thread.
    void interrupt() noexcept { db_->interrupt(*waiter_); }

    result<worker_id> register_worker(const worker_info& info) {
        return db_->run([&](tables& db) { return in_memory::register_worker(db, info, waiter_); });
    }
    result<beat_reply> beat(worker_id id) {
        return db_->run([&](tables& db) { return in_memory::record_beat(db, id); });
    }
    result<beat_reply> beat(worker_id id, const minute_report& report) {
        return db_->run([&](tables& db) { return in_memory::record_beat(db, id, report); });
    }
    result<rescue_reply> rescue() {
        return db_->run([&](tables& db) { return in_memory::rescue(db); });
    }
    result<std::vector<held_by_rescue>> retire(worker_id id, const minute_report& report = {}) {
        db_->run([&](tables& db) { in_memory::retire(db, id, report); });
        return std::vector<held_by_rescue>{};
    }
    result<std::vector<lease_update>> leases_of(worker_id id) {
        return db_->run([&](tables& db) {
            db.workers.set_session(id, waiter_);
            return in_memory::lease_updates(db, id);
        });
    }
    result<std::vector<held_by_rescue>> give_back(std::span<const lease_ref> leases) {
        db_->run([&](tables& db) { in_memory::give_back(db, leases); });
        return std::vector<held_by_rescue>{};
    }

    /// Replaces the contents of `jobs`. Fails inside a transaction.
    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& jobs) {
        jobs.clear();
        const auto request = pgq::detail::request_id_of(r.options);
        if (!request) return request.error();
        if (log_ && request->is_set()) return pgq::detail::request_id_in_transaction();
        if (log_)
            return error_info{errc::invalid_option, "driver::memory does not support tracked jobs inside transactions",
                              "enqueue jobs with results, unique keys, parents or an expiry outside the transaction"};
        if (auto ok = in_memory::check(r); !ok) return ok;
        return db_->run([&](tables& db) { return in_memory::enqueue_tracked(db, r, jobs); });
    }
    result<void> watch(std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended) {
        ended.clear();
        db_->run([&](tables& db) { in_memory::watch(db, ids, keep, ended, waiter_); });
        return {};
    }
    result<std::vector<lease_update>> lease_updates(worker_id id) {
        return db_->run([&](tables& db) { return in_memory::lease_updates(db, id); });
    }
    bool take_stop_request() noexcept { return db_->take_stop_request(*waiter_); }
    result<purge_reply> expire_and_purge() {
        return db_->run([&](tables& db) { return db.jobs.expire_and_purge(db.clock.now()); });
    }
    result<void> revise(const revision& r) {
        return db_->run([&](tables& db) { return in_memory::revise(db, r); });
    }
    result<std::optional<std::string>> progress_of(job_id id) {
        return db_->run([&](tables& db) { return in_memory::progress_of(db, id); });
    }

    result<cancel_reply> cancel(std::span<const job_id> ids) {
        return db_->run([which = in_memory::sorted(ids)](tables& db) { return in_memory::cancel(db, which); });
    }
    result<void> find(const find_request& r, std::vector<job_id>& found) {
        if (r.which)
            if (auto ok = r.which->check(); !ok) return ok;
        found.clear();
        db_->run([&](tables& db) { in_memory::find(db, r, found); });
        return {};
    }
    result<std::optional<found_job>> find_one(job_id id) {
        return db_->run([&](tables& db) { return in_memory::find_one(db, id); });
    }
    result<std::vector<failed_attempt>> failures(job_id id) {
        return db_->run([&](tables& db) { return db.jobs.failures(id); });
    }
    result<std::vector<lane_statistics>> statistics(const statistics_request& r) {
        return db_->run([&](tables& db) { return db.jobs.minutes().read(r, db.clock.now()); });
    }
    result<std::vector<capped_counts>> counts_up_to(std::span<const lane_id> lanes, std::int64_t most) {
        return db_->run([&](tables& db) { return in_memory::counts_up_to(db, lanes, most); });
    }
    result<std::vector<job_failure>> latest_failures(std::span<const lane_id> lanes, std::size_t limit) {
        return db_->run([&](tables& db) { return db.jobs.all_failures().latest(lanes, limit); });
    }
    result<void> keep_failures(std::span<const lane_id> lanes, duration keep) {
        db_->run([&](tables& db) { db.jobs.all_failures().keep(lanes, keep); });
        return {};
    }
    result<std::int64_t> open_jobs(lane_id lane, std::int64_t most) {
        return db_->run([&](tables& db) { return std::min(most, db.count_open(lane)); });
    }
    result<void> set_dead_letter_routes(std::span<const lane_id> lanes, std::span<const lane_id> to) {
        db_->run([&](tables& db) { in_memory::set_dead_letter_routes(db, lanes, to); });
        return {};
    }
    result<std::int64_t> requeue(std::span<const job_id> ids) {
        return db_->run(
            [which = in_memory::sorted(ids)](tables& db) { return db.jobs.requeue(which, db.clock.now()); });
    }
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit) {
        return db_->run([&](tables& db) { return db.jobs.held(lane, limit); });
    }
    result<lane_counts> counts(lane_id lane) {
        return db_->run([&](tables& db) { return in_memory::counts(db, lane); });
    }

    result<bool> declare_schedule(std::string_view queue, const schedule_definition& d) {
        return db_->run([&](tables& db) { return in_memory::declare_schedule(db, queue, d); });
    }
    result<schedule_list> schedules(std::string_view queue, std::span<const std::string> kept) {
        return db_->run([&](tables& db) { return in_memory::schedules(db, queue, kept, waiter_); });
    }
    result<fire_reply> fire_schedules(std::string_view queue, std::span<const schedule_firing> all) {
        return db_->run([&](tables& db) { return in_memory::fire_schedules(db, queue, all); });
    }
    result<schedule_change_reply> change_schedule(std::string_view queue, std::string_view name, schedule_change change,
                                                  std::string_view reason) {
        return db_->run([&](tables& db) { return in_memory::change_schedule(db, queue, name, change, reason); });
    }
    result<std::int64_t> prune_schedules(std::string_view queue, duration unused_for) {
        return db_->run([&](tables& db) { return in_memory::prune_schedules(db, queue, unused_for); });
    }

private:
    friend class in_memory::admin_verbs<session>;
    using tables = in_memory::tables;

    template <class Verb>
    auto run(Verb verb) {
        return db_->run(verb);
    }
    static error_info no_transaction() { return {errc::invalid_option, "no transaction, or no savepoint, is open"}; }

    result<void> enqueue_all_tracked(const enqueue_request& r, std::vector<job_id>& ids) {
        std::vector<enqueued_job> jobs;
        auto ok =
            enqueue_tracked({.lanes = {&r.lane, 1}, .bodies = r.bodies, .options = r.options, .keys = r.keys}, jobs);
        for (const auto& j : jobs) ids.push_back(j.id);
        return ok;
    }
    void roll_back(in_memory::undo_log& log) {
        db_->run([&](tables& db) { log.rollback(db.jobs); });
    }
    bool commit_and_acknowledge(in_memory::undo_log& log, worker_id worker, const lease_ref& lease,
                                std::optional<std::string_view> written) {
        std::vector<in_memory::job_array> dropped;  // its destructor runs after the mutex is released
        return db_->run(
            [&](tables& db) { return in_memory::commit_and_acknowledge(db, log, worker, lease, written, dropped); });
    }

    std::shared_ptr<in_memory::database> db_;
    std::shared_ptr<in_memory::waiter> waiter_;
    std::unique_ptr<in_memory::undo_log> log_{};  // null if no transaction is open
};

inline result<memory::session> memory::connect(session_role) const { return session{db_}; }

static_assert(worker_driver<memory> && can_schedule<memory::session> && can_keep_statistics<memory::session> &&
              admin_session<memory::session>);

}  // namespace pgq::driver
