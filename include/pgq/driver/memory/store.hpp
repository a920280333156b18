#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/leases.hpp>
#include <pgq/driver/memory/ledger.hpp>
#include <pgq/driver/memory/limits.hpp>
#include <pgq/driver/memory/match.hpp>
#include <pgq/driver/memory/roster.hpp>
#include <pgq/driver/memory/stock.hpp>
#include <pgq/driver/memory/tracked_enqueue.hpp>
#include <pgq/driver/memory/tracking.hpp>
#include <pgq/driver/memory/waiter.hpp>
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
#include <pgq/job/traits.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
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
        if (const auto ok = check_name(queue); !ok) return ok.error();
        for (const auto& name : names)
            if (const auto ok = check_name(name.entrypoint); !ok) return ok.error();
        std::vector<lane_id> out;
        const std::lock_guard lock{mutex_};
        for (const auto& name : names) {
            const full_name full{std::string{queue}, std::string{name.entrypoint}, std::string{name.version}};
            auto [at, fresh] = names_.try_emplace(full);
            if (fresh) {
                at->second = stock_.add_lane();
                lanes_.push_back(full);
            }
            out.push_back(at->second);
        }
        return out;
    }

    std::vector<lane_limit> limits(std::string_view queue, std::span<const lane_limit> declared) {
        const std::lock_guard lock{mutex_};
        return limits_.declare(queue, declared, clock_.steady_now());
    }
    bool change_limit(std::string_view queue, const lane_limit& limit) {
        const std::lock_guard lock{mutex_};
        if (!limits_.change(queue, limit)) return false;
        std::vector<lane_id> touched = lanes_of(queue, limit.entrypoint);
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
        if (auto ok = check(r); !ok) return ok;
        const time_point now = clock_.now();
        (void)stock_.take_begun();
        for (const auto& ref : r.finished) {
            const lease* l = leases_.find(ref.id, r.worker);
            if (!l) {
                reply.lost.push_back(ref.id);
                continue;
            }
            finish_flagged(*l, now, touched, [](std::size_t) { return true; });
            dropped.push_back(leases_.close(ref.id).jobs);
        }
        for (const auto& p : r.progressed) progress(p, r.worker, now, reply, dropped, touched);
        reply.promoted = stock_.take_begun();
        if (r.promote) reply.promoted += stock_.promote(now, touched);
        roster_.wake(touched, r.worker);
        if (r.announce_awake) roster_.woke_up(r.worker, here);
        if (r.announce_sleep) roster_.fell_asleep(r.worker, here);
        std::uint32_t room = r.limited_room;
        for (limited_lane wanted : r.limited) {
            wanted.most = std::min(wanted.most, room);
            room -= claim_limited(r.worker, wanted, reply);
        }
        if (r.limit > 0) claim(r, reply);
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
        auto jobs = waiting_jobs(r);
        if (tx != nullptr) prefer_own(r, jobs, *tx);
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
        progress({.ref = ref, .last = true, .mask = "\1", .items = {&done, 1}}, worker, now, reply, dropped, touched);
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
            const full_name& lane = lanes_[static_cast<std::size_t>(r.lane(i).value) - 1];
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
            stock_.bury(lanes[i], i < to.size() ? std::optional{to[i]} : std::nullopt,
                        lanes_[static_cast<std::size_t>(lanes[i].value) - 1].queue);
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
    struct full_name {
        std::string queue{}, entrypoint{}, version{};
        friend auto operator<=>(const full_name&, const full_name&) = default;
    };

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

    static result<void> check_name(std::string_view name) {
        if (name.empty() || name.size() > max_name_bytes) return errc::invalid_name;
        if (!pgq::detail::is_storable_text(name)) return errc::invalid_text;
        return {};
    }

    static error_info no_such_lane() { return error_info{errc::invalid_option, "there is no lane with this number"}; }
    static std::vector<job_id> sorted(std::span<const job_id> ids) {
        std::vector<job_id> out{ids.begin(), ids.end()};
        std::sort(out.begin(), out.end());
        return out;
    }

    /// Everything that can be wrong with a request, before any of it happens.
    result<void> check(const exchange_request& r) {
        if (((r.limit > 0 && !r.lanes.empty()) || !r.limited.empty() || r.announce_sleep) && !roster_.has(r.worker))
            return errc::worker_lost;
        for (const auto& p : r.progressed) {
            const lease* l = leases_.find(p.ref.id, r.worker);
            if (!l) continue;  // reported as lost
            for (const auto& item : p.items)
                if (item.index >= l->jobs->size())
                    return error_info{errc::invalid_option, "a settlement names a job that its lease does not have"};
            if (p.last && !leaves_nothing(*l, p))
                return error_info{errc::invalid_option, "a lease cannot end while jobs are in it"};
        }
        return {};
    }
    static bool leaves_nothing(const lease& l, const lease_progress& p) {
        lease after{.jobs = l.jobs, .left = l.left};
        after.leave(p.mask);
        for (const auto& item : p.items) after.leave(std::size_t{item.index});
        bool nothing = true;
        after.for_each_unfinished([&](std::size_t) { nothing = false; });
        return nothing;
    }

    void progress(const lease_progress& p, worker_id worker, time_point now, exchange_reply& reply,
                  std::vector<job_array>& dropped, std::vector<lane_id>& touched) {
        lease* l = leases_.find(p.ref.id, worker);
        if (!l) return reply.lost.push_back(p.ref.id);
        for (const auto& item : p.items) {
            if (l->has_left(item.index)) continue;  // said before
            l->leave(std::size_t{item.index});
            stock_.settle(l->at(item.index), item, now, touched);
        }
        const lease leaving{.left = std::string{p.mask}};
        finish_flagged(*l, now, touched, [&](std::size_t i) { return leaving.has_left(i); });
        l->leave(p.mask);
        if (!p.last) return reply.moved.push_back({.id = p.ref.id});
        dropped.push_back(leases_.close(p.ref.id).jobs);
    }

    /// Jobs that are done without a word, though somebody wants to know: their worker could not know that.
    template <class Predicate>
    void finish_flagged(const lease& l, time_point now, std::vector<lane_id>& touched, Predicate leaves) {
        if (l.flags.empty()) return;
        l.for_each_unfinished([&](std::size_t i) {
            if (leaves(i)) stock_.end(l.at(i), end_kind::done, now, touched);
        });
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

    /// The best that wait, off the shelf.
    std::vector<job> waiting_jobs(const take_request& r) {
        std::vector<job> jobs;
        if (r.where == nullptr || r.where->is_everything()) {
            std::vector<claim_lane> lanes;
            for (const lane_id lane : r.lanes) lanes.push_back({.lane = lane});
            for (auto& batch : stock_.take(lanes, r.limit))
                std::move(batch.jobs.begin(), batch.jobs.end(), std::back_inserter(jobs));
        } else {
            for (const lane_id lane : r.lanes)
                for (job& j : stock_.take_if(lane, r.limit, [&](const job& c) { return passes(r.where, c); }))
                    jobs.push_back(std::move(j));
        }
        std::sort(jobs.begin(), jobs.end(), runs_before);
        put_back_behind(jobs, r.limit);
        return jobs;
    }
    void put_back_behind(std::vector<job>& jobs, std::size_t most) {
        for (; jobs.size() > most; jobs.pop_back()) stock_.put(std::move(jobs.back()));
    }
    /// A transaction sees what it has enqueued itself among the others.
    void prefer_own(const take_request& r, std::vector<job>& jobs, ledger& tx) {
        std::vector<job> own;
        for (const auto& p : tx.own()) {
            const bool wanted = std::find(r.lanes.begin(), r.lanes.end(), p.what.lane) != r.lanes.end();
            if (wanted && !p.due && passes(r.where, p.what)) own.push_back(p.what);
        }
        std::sort(own.begin(), own.end(), runs_before);
        std::vector<job> best;
        std::size_t mine = 0, theirs = 0;
        while (best.size() < r.limit && (mine < own.size() || theirs < jobs.size())) {
            const bool is_mine = theirs == jobs.size() || (mine < own.size() && runs_before(own[mine], jobs[theirs]));
            best.push_back(is_mine ? own[mine++] : jobs[theirs++]);
            is_mine ? tx.take_own(best.back().id) : tx.took(best.back());
        }
        put_back_behind(jobs, theirs);
        jobs = std::move(best);
    }
    static taken_record record_of(const job& j) {
        taken_record t{.id = j.id, .lane = j.lane, .rank = j.rank, .attempts = j.attempts, .body = std::string{j.body}};
        for (const header& h : j.headers) t.headers.push_back({std::string{h.name}, std::string{h.value}});
        if (j.key) t.key = std::string{*j.key};
        return t;
    }

    void claim(const exchange_request& r, exchange_reply& reply) {
        if (r.apart != nullptr) return claim_apart(r, reply);
        for (auto& batch : stock_.take(r.lanes, r.limit)) {
            if (batch.asked.each) {
                for (job& j : batch.jobs)
                    open(r.worker, batch.asked.lane, batch.asked.max_attempts, {std::move(j)}, reply);
            } else open(r.worker, batch.asked.lane, batch.asked.max_attempts, std::move(batch.jobs), reply);
        }
    }

    void claim_apart(const exchange_request& r, exchange_reply& reply) {
        std::vector<lane_id> lanes;
        for (const claim_lane& l : r.lanes) lanes.push_back(l.lane);
        for (job& j : waiting_jobs({.lanes = lanes, .limit = r.limit, .where = r.apart})) {
            const lane_id lane = j.lane;
            std::vector<job> alone_in_it;
            alone_in_it.push_back(std::move(j));
            open(r.worker, lane, r.lanes[0].max_attempts, std::move(alone_in_it), reply);
        }
    }

    void open(worker_id worker, lane_id lane, std::int16_t max_attempts, std::vector<job> jobs, exchange_reply& reply) {
        for (job& j : jobs)
            if (j.attempts < std::numeric_limits<std::int16_t>::max()) ++j.attempts;
        reply.leases.push_back(leases_.open({
            .worker = worker,
            .lane = lane,
            .max_attempts = std::max(max_attempts, std::int16_t{1}),
            .jobs = std::make_shared<const std::vector<job>>(std::move(jobs)),
        }));
    }

    /// How many it took.
    std::uint32_t claim_limited(worker_id worker, const limited_lane& wanted, exchange_reply& reply) {
        if (!stock_.has_ready(wanted.lane)) return 0;
        const auto& name = lanes_[static_cast<std::size_t>(wanted.lane.value) - 1];
        const steady_time now = clock_.steady_now();
        const auto limits = limits_.of(name.queue, name.entrypoint);
        std::int64_t free = wanted.most;
        std::optional<duration> rest;
        const kept_limit* keyed = nullptr;
        for (const kept_limit* l : limits) {
            if (l->what.limit.kind == limit_kind::running) {
                free = std::min(free, l->what.limit.amount - running(*l));
            } else if (l->what.limit.kind == limit_kind::running_by_key) {
                keyed = l;
            } else if (const auto tokens = static_cast<std::int64_t>(l->available(now)); tokens < free) {
                free = tokens;
                rest = l->rest(static_cast<double>(tokens), now);
            }
        }
        std::map<std::string_view, std::int64_t> by_key;
        if (keyed != nullptr) by_key = running_by_key(*keyed);
        auto jobs = stock_.take_if(wanted.lane, free > 0 ? static_cast<std::size_t>(free) : 0, [&](const job& j) {
            return keyed == nullptr || !j.key || by_key[*j.key]++ < keyed->what.limit.amount;
        });
        const auto taken = static_cast<std::int64_t>(jobs.size());
        for (kept_limit* l : limits)
            if (taken > 0 && l->what.limit.kind == limit_kind::rate) l->spend(static_cast<double>(taken), now);
        if (taken > 0) open(worker, wanted.lane, wanted.max_attempts, std::move(jobs), reply);
        if (!stock_.has_ready(wanted.lane)) return static_cast<std::uint32_t>(taken);
        if (taken == wanted.most) reply.more_limited = true;
        else if (rest && taken >= free) reply.again = reply.again ? std::min(*reply.again, *rest) : *rest;
        return static_cast<std::uint32_t>(taken);
    }

    std::vector<lane_id> lanes_of(std::string_view queue, std::string_view entrypoint) const {
        std::vector<lane_id> out;
        for (std::size_t i = 0; i < lanes_.size(); ++i)
            if (lanes_[i].queue == queue && (entrypoint.empty() || lanes_[i].entrypoint == entrypoint))
                out.push_back({static_cast<std::int32_t>(i + 1)});
        return out;
    }
    std::int64_t running(const kept_limit& l) const {
        std::int64_t n = 0;
        for (const lane_id lane : lanes_of(l.queue, l.what.entrypoint)) n += leases_.unfinished(lane);
        return n;
    }
    std::map<std::string_view, std::int64_t> running_by_key(const kept_limit& l) const {
        std::map<std::string_view, std::int64_t> n;
        for (const lane_id lane : lanes_of(l.queue, l.what.entrypoint))
            leases_.for_each_unfinished(lane, [&](const job& j) {
                if (j.key) ++n[*j.key];
            });
        return n;
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
    std::map<full_name, lane_id> names_{};
    std::vector<full_name> lanes_{};  // by their numbers, from 1
    limit_book limits_{};
    std::int64_t last_job_ = 0;
    stock stock_{};
    lease_book leases_{};
    roster roster_{};
    std::vector<waiter*> waiting_{};
};

}  // namespace pgq::driver::in_memory
