#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/ledger.hpp>
#include <pgq/driver/memory/store.hpp>
#include <pgq/driver/memory/waiter.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/manual_clock.hpp>

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

/// Jobs live in this process and end with it: for tests, and for measuring a worker without a database. Copies are
/// handles to one store, which lives as long as the last of them or of their sessions. Everything works as in
/// PostgreSQL but durability.
class memory {
public:
    using policy_category = driver_tag;
    class session;

    memory() : store_{in_memory::store::make({})} {}

    /// A store whose jobs become due, whose workers die and whose waits time out by `clock` alone.
    static memory with_clock(manual_clock clock) {
        return memory{in_memory::store::make(in_memory::clock{std::move(clock)})};
    }

    result<session> connect(session_role role) const;
    result<void> install() const { return {}; }

private:
    explicit memory(std::shared_ptr<in_memory::store> s) : store_{std::move(s)} {}

    std::shared_ptr<in_memory::store> store_;
};

/// See concept/driver.hpp. A moved-from session can only be assigned to or destroyed.
class memory::session {
public:
    explicit session(std::shared_ptr<in_memory::store> s)
        : store_{std::move(s)}, waiter_{std::make_shared<in_memory::waiter>()} {}
    session(session&&) noexcept = default;
    session& operator=(session&& other) noexcept {
        session old{std::move(*this)};
        store_ = std::move(other.store_);
        waiter_ = std::move(other.waiter_);
        ledger_ = std::move(other.ledger_);
        return *this;
    }
    // A wake for a session that is gone would be a wake lost.
    ~session() {
        if (ledger_) store_->rollback(*ledger_);
        if (waiter_) store_->forget(*waiter_);
    }

    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        return store_->lanes(queue, names);
    }
    result<std::vector<lane_limit>> limits(std::string_view queue, std::span<const lane_limit> declared) {
        return store_->limits(queue, declared);
    }
    result<bool> change_limit(std::string_view queue, const lane_limit& limit) {
        return store_->change_limit(queue, limit);
    }
    /// Replaces what is in `ids`.
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) {
        return store_->enqueue(r, ids, ledger_.get());
    }
    result<void> exchange(const exchange_request& r, exchange_reply& reply) {
        return store_->exchange(r, reply, waiter_);
    }
    result<void> take(const take_request& r, take_reply& reply) { return store_->take(r, reply, ledger_.get()); }
    result<void> keep(const taken_record& job, std::string_view reason) {
        return store_->keep(job, reason, ledger_.get()), result<void>{};
    }

    result<void> begin() {
        if (ledger_) return error_info{errc::invalid_option, "a transaction is open already"};
        ledger_ = std::make_unique<in_memory::ledger>();
        return {};
    }
    result<void> commit() {
        if (!ledger_) return no_transaction();
        store_->commit(*std::exchange(ledger_, nullptr));
        return {};
    }
    result<void> rollback() {
        if (!ledger_) return no_transaction();
        store_->rollback(*std::exchange(ledger_, nullptr));
        return {};
    }
    /// See concept/transaction.hpp.
    result<bool> commit_acknowledging(worker_id worker, const lease_ref& lease,
                                      std::optional<std::string_view> written) {
        if (!ledger_) return no_transaction();
        return store_->commit_acknowledging(*std::exchange(ledger_, nullptr), worker, lease, written);
    }
    result<bool> acknowledge(worker_id worker, const lease_ref& lease) {
        in_memory::ledger nothing;
        return store_->commit_acknowledging(nothing, worker, lease, std::nullopt);
    }
    result<bool> still_holds(worker_id worker, const lease_ref& lease) { return store_->holds(worker, lease); }

    result<void> savepoint() {
        if (!ledger_) return no_transaction();
        return ledger_->savepoint(), result<void>{};
    }
    result<void> rollback_to_savepoint() {
        if (!ledger_ || !ledger_->has_savepoint()) return no_transaction();
        return store_->rollback_to_savepoint(*ledger_), result<void>{};
    }
    result<void> release_savepoint() {
        if (!ledger_ || !ledger_->has_savepoint()) return no_transaction();
        return ledger_->release_savepoint(), result<void>{};
    }

    result<wake_reason> wait(duration timeout) { return store_->wait(*waiter_, timeout); }
    void interrupt() noexcept { store_->interrupt(*waiter_); }

    result<worker_id> register_worker(const worker_info& info) { return store_->register_worker(info, waiter_); }
    result<beat_reply> beat(worker_id id) { return store_->beat(id); }
    result<rescue_reply> rescue() { return store_->rescue(); }
    result<void> retire(worker_id id) { return store_->retire(id), result<void>{}; }
    result<std::vector<lease_ref>> leases_of(worker_id id) { return store_->leases_of(id); }
    result<void> give_back(std::span<const lease_ref> leases) { return store_->give_back(leases), result<void>{}; }

    /// Replaces what is in `jobs`.
    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& jobs) {
        return store_->enqueue_tracked(r, jobs, ledger_.get());
    }
    result<void> watch(std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended) {
        return store_->watch(ids, keep, ended, waiter_), result<void>{};
    }
    result<std::vector<lease_news>> leases_now(worker_id id) { return store_->leases_now(id); }
    bool stop_asked() noexcept { return store_->stop_asked(*waiter_); }
    result<sweep_reply> sweep() { return store_->sweep(); }
    result<void> revise(const revision& r) { return store_->revise(r); }
    result<std::optional<std::string>> progress_of(job_id id) { return store_->progress_of(id); }

    result<cancel_reply> cancel(std::span<const job_id> ids) { return store_->cancel(ids); }
    result<void> find(const find_request& r, std::vector<job_id>& found) { return store_->find(r, found); }
    result<std::vector<failed_attempt>> failures(job_id id) { return store_->failures(id); }
    result<std::int64_t> open_jobs(lane_id lane, std::int64_t most) { return store_->open_jobs(lane, most); }
    result<void> set_dead_letters(std::span<const lane_id> lanes, std::span<const lane_id> to) {
        return store_->set_dead_letters(lanes, to), result<void>{};
    }
    result<std::int64_t> requeue(std::span<const job_id> ids) { return store_->requeue(ids); }
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit) { return store_->held(lane, limit); }
    result<lane_counts> counts(lane_id lane) { return store_->counts(lane); }

private:
    static error_info no_transaction() { return {errc::invalid_option, "no transaction, or no savepoint, is open"}; }

    std::shared_ptr<in_memory::store> store_;
    std::shared_ptr<in_memory::waiter> waiter_;
    std::unique_ptr<in_memory::ledger> ledger_{};  // while a transaction is open
};

inline result<memory::session> memory::connect(session_role) const { return session{store_}; }

static_assert(worker_driver<memory>);

}  // namespace pgq::driver
