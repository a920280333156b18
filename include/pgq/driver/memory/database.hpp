#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/memory/claim.hpp>
#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/driver/memory/lane_table.hpp>
#include <pgq/driver/memory/lease_table.hpp>
#include <pgq/driver/memory/limit_table.hpp>
#include <pgq/driver/memory/match.hpp>
#include <pgq/driver/memory/settle.hpp>
#include <pgq/driver/memory/take.hpp>
#include <pgq/driver/memory/tracked_enqueue.hpp>
#include <pgq/driver/memory/tracked_table.hpp>
#include <pgq/driver/memory/undo_log.hpp>
#include <pgq/driver/memory/waiter.hpp>
#include <pgq/driver/memory/worker_registry.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/revision.hpp>
#include <pgq/job/take.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// What all sessions of one memory driver share. Each verb is one step under one mutex; the verbs are those of
/// concept/driver.hpp, whose prose holds here.
class store {
public:
    explicit store(in_memory::clock c) : clock_{std::move(c)} {}

    static std::shared_ptr<store> make(in_memory::clock c) {
        auto made = std::make_shared<store>(std::move(c));
        if (const auto& manual = made->clock_.manual())
            made->watch_ = manual->watch([weak = std::weak_ptr<store>{made}] {
                if (const auto s = weak.lock()) s->time_moved();
            });
        return made;
    }

    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        if (const auto ok = lane_book::check_name(queue); !ok) return ok.error();
        for (const auto& name : names)
            if (const auto ok = lane_book::check_name(name.entrypoint); !ok) return ok.error();
        std::vector<lane_id> out;
        const std::lock_guard lock{mutex_};
        for (const auto& name : names)
            out.push_back(
                lanes_.number({std::string{queue}, std::string{name.entrypoint}, std::string{name.version}}, stock_));
        return out;
    }

    std::vector<lane_limit> limits(std::string_view queue, std::span<const lane_limit> declared) {
        const std::lock_guard lock{mutex_};
        return limits_.declare(queue, declared, clock_.steady_now());
    }
    bool change_limit(std::string_view queue, const lane_limit& limit) {
        const std::lock_guard lock{mutex_};
        if (!limits_.change(queue, limit)) return false;
        std::vector<lane_id> touched = lanes_.of(queue, limit.entrypoint);
        roster_.wake(touched);
        return true;
    }

    /// With a ledger, inside of that transaction.
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids, ledger* tx = nullptr) {
        ids.clear();
        const std::size_t n = r.bodies ? r.bodies->size() : 0;
        if (n == 0) return {};
        if (r.is_tracked()) return enqueue_all_tracked(r, ids, tx);
        if (r.options.size() != 1 && r.options.size() != n)
            return error_info{errc::invalid_option, "there must be one set of options for all jobs or one for each"};
        for (const enqueue_options& o : r.options)
            if (auto fine = check_headers(o.headers); !fine) return fine;
        const auto bytes = pack(r);
        ids.reserve(n);
        const std::lock_guard lock{mutex_};
        if (!stock_.knows(r.lane)) return no_such_lane();
        const time_point now = clock_.now();
        std::span<const header> headers{bytes->headers};
        for (std::size_t i = 0; i < n; ++i) {
            const enqueue_options& o = r.option(i);
            if (i > 0 && r.options.size() > 1) headers = headers.subspan(r.option(i - 1).headers.size());
            ids.push_back({++last_job_});
            job j{.id = ids.back(),
                  .rank = rank_of(o, now),
                  .lane = r.lane,
                  .body = bytes->bodies[i],
                  .headers = headers.first(o.headers.size()),
                  .key = r.has_keys() ? std::optional{bytes->keys[i]} : std::nullopt,
                  .owner = bytes};
            const time_point due = o.run_at.is_set() ? resolved(o.run_at, now) : now;
            if (tx != nullptr) tx->put(std::move(j), due > now ? std::optional{due} : std::nullopt);
            else due > now ? stock_.defer(std::move(j), due) : stock_.put(std::move(j));
        }
        if (tx != nullptr) return {};
        roster_.wake_one(r.lane, {});  // a deferred job too: the sleeper sets its timer anew
        return {};
    }

    result<void> exchange(const exchange_request& r, exchange_reply& reply, const std::shared_ptr<waiter>& here) {
        reply.leases.clear(), reply.moved.clear(), reply.lost.clear();
        reply.next_due.reset(), reply.promoted = 0;
        reply.again.reset(), reply.more_limited = false;
        std::vector<job_array> dropped;  // outlives the lock: nobody waits while payloads are freed
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        if (is_of_a_worker(r) && !roster_.has(r.worker)) return errc::worker_lost;
        if (auto ok = settling_.check(r); !ok) return ok;
        const time_point now = clock_.now();
        (void)stock_.take_begun();
        for (const auto& ref : r.finished) settling_.finish(ref, r.worker, now, reply, dropped, touched);
        for (const auto& p : r.progressed) settling_.progress(p, r.worker, now, reply, dropped, touched);
        reply.promoted = stock_.take_begun();
        if (r.promote) reply.promoted += stock_.promote(now, touched);
        roster_.wake(touched, r.worker);
        if (r.announce_awake) roster_.woke_up(r.worker, here);
        if (r.announce_sleep) roster_.fell_asleep(r.worker, here);
        std::uint32_t room = r.limited_room;
        for (limited_lane wanted : r.limited) {
            wanted.most = std::min(wanted.most, room);
            room -= claiming_.claim_limited(r.worker, wanted, clock_.steady_now(), reply);
        }
        if (r.limit > 0) claiming_.claim(r, reply);
        if (r.look_ahead) reply.next_due = stock_.next_due(now);
        if (r.pass_on) roster_.wake_colleague(r.worker);
        for (const lane_id lane : r.freed) roster_.wake_one(lane, r.worker);
        return {};
    }

    result<void> take(const take_request& r, take_reply& reply, ledger* tx) {
        reply.jobs.clear(), reply.next_due.reset();
        if (r.where)
            if (auto fine = r.where->check(); !fine) return fine;
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        const time_point now = clock_.now();
        if (r.promote && tx == nullptr) stock_.promote(now, touched);
        auto jobs = waiting_jobs(stock_, r);
        if (tx != nullptr) prefer_own(stock_, r, jobs, *tx);
        for (const job& j : jobs) {
            reply.jobs.push_back(record_of(j));
            // Who takes a job for good has done it; in a transaction, when that commits.
            if (tx == nullptr) stock_.end(j, end_kind::done, now, touched);
        }
        roster_.wake(touched);
        if (r.look_ahead) reply.next_due = stock_.next_due(now);
        return {};
    }
    void keep(const taken_record& t, std::string_view reason, ledger* tx) {
        std::vector<header> headers;
        for (const owned_header& h : t.headers) headers.push_back({h.name, h.value});
        job lent{
            .id = t.id, .rank = t.rank, .lane = t.lane, .attempts = t.attempts, .body = t.body, .headers = headers};
        if (t.key) lent.key = *t.key;
        const std::lock_guard lock{mutex_};
        if (tx != nullptr) tx->held(lent, reason);
        else stock_.book().retell(t.id, reason);
        stock_.hold(alone(lent), reason);
    }
    void commit(ledger& tx) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        tx.commit(stock_, clock_.now(), touched);
        roster_.wake(touched);
    }
    bool commit_acknowledging(ledger& tx, worker_id worker, const lease_ref& ref,
                              std::optional<std::string_view> written) {
        std::vector<lane_id> touched;
        std::vector<job_array> dropped;  // outlives the lock
        const settlement done{.kind = settle_kind::done, .result = written};
        exchange_reply reply;
        const std::lock_guard lock{mutex_};
        const time_point now = clock_.now();
        settling_.progress({.ref = ref, .last = true, .mask = "\1", .items = {&done, 1}}, worker, now, reply, dropped,
                           touched);
        const bool ours = reply.lost.empty();
        if (!ours) tx.rollback(stock_, touched);
        else tx.commit(stock_, now, touched);
        roster_.wake(touched);
        return ours;
    }
    bool holds(worker_id worker, const lease_ref& ref) {
        const std::lock_guard lock{mutex_};
        return leases_.find(ref.id, worker) != nullptr;
    }
    void rollback(ledger& tx) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        tx.rollback(stock_, touched);
        roster_.wake(touched);
    }
    void rollback_to_savepoint(ledger& tx) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        tx.rollback_to_savepoint(stock_, touched);
        roster_.wake(touched);
    }

    wake_reason wait(waiter& here, duration timeout) {
        std::unique_lock lock{mutex_};
        waiting_.push_back(&here);
        clock_.wait(lock, here.changed, timeout, [&] { return here.may_go(); });
        std::erase(waiting_, &here);
        if (std::exchange(here.interrupted, false)) return wake_reason::interrupted;
        const bool notified = std::exchange(here.notified, false), news = std::exchange(here.news, false);
        return notified || news ? wake_reason::notified : wake_reason::timeout;
    }
    void interrupt(waiter& here) noexcept {
        const std::lock_guard lock{mutex_};
        here.interrupted = true;
        here.changed.notify_one();
    }
    bool stop_asked(waiter& here) noexcept {
        const std::lock_guard lock{mutex_};
        return std::exchange(here.stop_asked, false);
    }
    void forget(const waiter& here) noexcept {
        const std::lock_guard lock{mutex_};
        roster_.forget(here);
    }

    result<worker_id> register_worker(const worker_info& info, const std::shared_ptr<waiter>& here) {
        if (info.lease_time <= duration::zero())
            return error_info{errc::invalid_option, "a worker's lease time must be more than nothing"};
        const std::lock_guard lock{mutex_};
        return roster_.add(info, clock_.steady_now(), here);
    }
    beat_reply beat(worker_id id) {
        const std::lock_guard lock{mutex_};
        beat_reply reply = roster_.beat(id, clock_.steady_now());
        reply.stop_asked = leases_.is_asked_to_stop(id);
        return reply;
    }
    rescue_reply rescue() {
        rescue_reply reply;
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        const time_point now = clock_.now();
        for (const worker_id dead : roster_.overdue(clock_.steady_now())) {
            roster_.remove(dead);
            ++reply.workers;
            for (const auto& ref : leases_.of(dead)) rescue_lease(leases_.close(ref.id), now, reply, touched);
        }
        roster_.wake(touched);
        return reply;
    }
    void retire(worker_id id) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        roster_.remove(id);
        for (const auto& ref : leases_.of(id)) return_lease(leases_.close(ref.id), clock_.now(), touched);
        roster_.wake(touched);
    }
    std::vector<lease_ref> leases_of(worker_id id) const {
        const std::lock_guard lock{mutex_};
        return leases_.of(id);
    }
    void give_back(std::span<const lease_ref> refs) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        for (const auto& ref : refs) return_lease(leases_.close(ref.id), clock_.now(), touched);
        roster_.wake(touched);
    }

    cancel_reply cancel(std::span<const job_id> ids) {
        const auto which = sorted(ids);
        std::vector<lane_id> touched;
        cancel_reply reply;
        const std::lock_guard lock{mutex_};
        reply.removed = stock_.cancel(which, clock_.now(), touched);
        leases_.for_each_of(which, [&](lease& l, std::size_t i) {
            if ((l.flag(i) & flag_stop) != 0) return;
            l.raise(i, flag_stop);
            ++reply.stopping;
            roster_.ask_to_stop(l.worker);
        });
        roster_.wake(touched);
        return reply;
    }
    std::int64_t requeue(std::span<const job_id> ids) {
        const auto which = sorted(ids);
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        const std::int64_t n = stock_.requeue(which, clock_.now(), touched);
        roster_.wake(touched);
        return n;
    }

    result<void> enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& jobs,
                                 const ledger* tx = nullptr) {
        jobs.clear();
        if (tx != nullptr)
            return error_info{errc::invalid_option, "driver::memory has no tracked jobs inside of transactions",
                              "enqueue jobs with results, unique keys, parents or an expiry outside of it"};
        if (auto fine = in_memory::check(r); !fine) return fine;
        std::vector<job_id> parents;
        for (const enqueue_options& o : r.options) parents.insert(parents.end(), o.after.begin(), o.after.end());
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        std::vector<std::string> names(r.bodies ? r.bodies->size() : 0);
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (!stock_.knows(r.lane(i))) return no_such_lane();
            const full_name& lane = lanes_.name(r.lane(i));
            if (r.option(i).unique_key.is_set()) names[i].append(lane.queue).append(1, '\0').append(lane.entrypoint);
        }
        tracked_enqueue call{stock_, r, std::move(names), clock_.now()};
        if (auto fine = call.plan(last_job_); !fine) return fine;
        if (auto room = check_room(r, call.made()); !room) return room;
        track(sorted(parents));
        call.perform(touched);
        jobs = call.made();
        roster_.wake(touched);
        return {};
    }
    result<void> find(const find_request& r, std::vector<job_id>& found) {
        if (r.which)
            if (auto fine = r.which->check(); !fine) return fine;
        found.clear();
        const std::lock_guard lock{mutex_};
        const auto look = [&](const job& j, job_place place) {
            const bool mine = std::find(r.lanes.begin(), r.lanes.end(), j.lane) != r.lanes.end();
            if (mine && includes(r.where, place) && passes(r.which, j)) found.push_back(j.id);
        };
        stock_.for_each_place(look);
        for (const lane_id lane : r.lanes)
            leases_.for_each_unfinished(lane, [&](const job& j) { look(j, job_place::leased); });
        std::sort(found.begin(), found.end());
        if (static_cast<std::int64_t>(found.size()) > r.limit) found.resize(static_cast<std::size_t>(r.limit));
        return {};
    }
    std::vector<failed_attempt> failures(job_id id) const {
        const std::lock_guard lock{mutex_};
        return stock_.failures(id);
    }
    std::int64_t open_jobs(lane_id lane, std::int64_t most) const {
        const std::lock_guard lock{mutex_};
        return std::min(most, count_open(lane));
    }
    void set_dead_letters(std::span<const lane_id> lanes, std::span<const lane_id> to) {
        const std::lock_guard lock{mutex_};
        for (std::size_t i = 0; i < lanes.size(); ++i)
            stock_.bury(lanes[i], i < to.size() ? std::optional{to[i]} : std::nullopt, lanes_.name(lanes[i]).queue);
    }

    void watch(std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended,
               const std::shared_ptr<waiter>& here) {
        ended.clear();
        const auto which = sorted(ids);
        const std::lock_guard lock{mutex_};
        track(which);
        for (const job_id id : ids) {
            if (auto how = stock_.ended(id)) ended.push_back(std::move(*how));
            else stock_.book().watch(id, keep, here);
        }
    }
    std::vector<lease_news> leases_now(worker_id id) const {
        const std::lock_guard lock{mutex_};
        return leases_.news(id);
    }
    result<void> revise(const revision& r) {
        const std::lock_guard lock{mutex_};
        lease* const l = leases_.find(r.lease, r.worker);
        const auto at = l == nullptr ? std::nullopt : l->position_of(r.job);
        if (!at) return errc::lease_lost;
        if (r.body) l->revise(*at, *r.body);
        if (!r.progress) return {};
        if (tracked_job* const known = stock_.book().find(r.job)) return known->progress = *r.progress, result<void>{};
        l->raise(*at, flag_tracked);
        stock_.book().add(r.job, {.lane = l->lane, .rank = (*l->jobs)[*at].rank, .progress = std::string{*r.progress}});
        return {};
    }
    std::optional<std::string> progress_of(job_id id) {
        const std::lock_guard lock{mutex_};
        const tracked_job* const known = stock_.book().find(id);
        return known == nullptr || known->held ? std::nullopt : known->progress;
    }
    sweep_reply sweep() {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        const sweep_reply reply = stock_.sweep(clock_.now(), touched);
        roster_.wake(touched);
        return reply;
    }
    std::vector<held_job> held(lane_id lane, std::size_t limit) const {
        const std::lock_guard lock{mutex_};
        return stock_.held(lane, limit);
    }
    lane_counts counts(lane_id lane) const {
        const std::lock_guard lock{mutex_};
        lane_counts c = stock_.counts(lane);
        c.leased = leases_.unfinished(lane);
        return c;
    }

private:
    std::int64_t count_open(lane_id lane) const {
        const lane_counts c = stock_.counts(lane);
        return c.ready + c.deferred + leases_.unfinished(lane);
    }
    result<void> check_room(const tracked_request& r, const std::vector<enqueued_job>& jobs) const {
        std::map<lane_id, std::pair<std::int64_t, std::int64_t>> wanted;  // how many more, and the bound
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (!jobs[i].fresh) continue;
            auto& [n, bound] = wanted[r.lane(i)];
            ++n;
            if (const auto mine = r.option(i).at_most; mine > 0) bound = bound == 0 ? mine : std::min(bound, mine);
        }
        for (const auto& [lane, w] : wanted)
            if (w.second > 0 && count_open(lane) + w.first > w.second)
                return error_info{errc::lane_full,
                                  "the lane is full: it may have at most " + std::to_string(w.second) + " jobs"};
        return {};
    }

    result<void> enqueue_all_tracked(const enqueue_request& r, std::vector<job_id>& ids, const ledger* tx) {
        std::vector<enqueued_job> jobs;
        const tracked_request all{.lanes = {&r.lane, 1}, .bodies = r.bodies, .options = r.options, .keys = r.keys};
        if (auto put = enqueue_tracked(all, jobs, tx); !put) return put;
        for (const auto& j : jobs) ids.push_back(j.id);
        return {};
    }

    static error_info no_such_lane() { return error_info{errc::invalid_option, "there is no lane with this number"}; }
    static bool is_of_a_worker(const exchange_request& r) noexcept {
        return (r.limit > 0 && !r.lanes.empty()) || !r.limited.empty() || r.announce_sleep;
    }
    static std::vector<job_id> sorted(std::span<const job_id> ids) {
        std::vector<job_id> out{ids.begin(), ids.end()};
        std::sort(out.begin(), out.end());
        return out;
    }

    /// Makes jobs tracked, wherever they are. `ids` are sorted.
    void track(const std::vector<job_id>& ids) {
        std::vector<job_id> missing;
        std::copy_if(ids.begin(), ids.end(), std::back_inserter(missing),
                     [&](job_id id) { return !stock_.book().knows(id); });
        if (missing.empty()) return;
        stock_.for_each([&](job& j, bool held) {
            if (!std::binary_search(missing.begin(), missing.end(), j.id)) return;
            j.flags = static_cast<std::int16_t>(j.flags | flag_tracked);
            stock_.book().add(j.id, {.lane = j.lane, .rank = j.rank, .held = held});
        });
        leases_.for_each_of(missing, [&](lease& l, std::size_t i) {
            l.raise(i, flag_tracked);
            const job& j = (*l.jobs)[i];
            stock_.book().add(j.id, {.lane = j.lane, .rank = j.rank});
        });
    }

    void return_lease(const lease& l, time_point now, std::vector<lane_id>& touched) {
        l.for_each_unfinished([&](std::size_t i) { stock_.give_back(l.at(i), now, touched); });
    }
    void rescue_lease(const lease& l, time_point now, rescue_reply& reply, std::vector<lane_id>& touched) {
        l.for_each_unfinished([&](std::size_t i) {
            const settle_kind how = stock_.rescue(l.at(i), l.max_attempts, now, touched);
            if (how == settle_kind::hold) ++reply.held;
            if (how == settle_kind::retry) ++reply.returned;
        });
    }

    void time_moved() {
        const std::lock_guard lock{mutex_};
        for (waiter* w : waiting_) w->changed.notify_one();
    }

    in_memory::clock clock_;
    std::shared_ptr<const void> watch_{};
    mutable std::mutex mutex_{};
    lane_book lanes_{};
    limit_book limits_{};
    std::int64_t last_job_ = 0;
    stock stock_{};
    lease_book leases_{};
    roster roster_{};
    claiming claiming_{stock_, leases_, limits_, lanes_};
    settling settling_{stock_, leases_};
    std::vector<waiter*> waiting_{};
};

}  // namespace pgq::driver::in_memory
