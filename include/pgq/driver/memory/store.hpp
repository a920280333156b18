#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/leases.hpp>
#include <pgq/driver/memory/roster.hpp>
#include <pgq/driver/memory/shelf.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/when.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
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

    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const std::string_view> entrypoints) {
        if (const auto ok = check_name(queue); !ok) return ok.error();
        for (const auto name : entrypoints)
            if (const auto ok = check_name(name); !ok) return ok.error();
        std::vector<lane_id> out;
        const std::lock_guard lock{mutex_};
        for (const auto name : entrypoints) {
            auto [at, fresh] = names_.try_emplace(std::pair{std::string{queue}, std::string{name}});
            if (fresh) at->second = shelf_.add_lane();
            out.push_back(at->second);
        }
        return out;
    }

    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) {
        ids.clear();
        const std::size_t n = r.bodies ? r.bodies->size() : 0;
        if (n == 0) return {};
        if (r.options.size() != 1 && r.options.size() != n)
            return error_info{errc::invalid_option, "there must be one set of options for all jobs or one for each"};
        for (const enqueue_options& o : r.options)
            if (auto fine = check_headers(o.headers); !fine) return fine;
        const auto bytes = pack(r);
        ids.reserve(n);
        const std::lock_guard lock{mutex_};
        if (!shelf_.knows(r.lane)) return error_info{errc::invalid_option, "there is no lane with this number"};
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
                  .owner = bytes};
            const time_point due = o.run_at.is_set() ? resolve(o.run_at, now) : now;
            due > now ? shelf_.defer(std::move(j), due) : shelf_.put(std::move(j));
        }
        roster_.wake_one(r.lane, {});  // a deferred job too: the sleeper sets its timer anew
        return {};
    }

    result<void> exchange(const exchange_request& r, exchange_reply& reply, const std::shared_ptr<waiter>& here) {
        reply.leases.clear(), reply.moved.clear(), reply.lost.clear();
        reply.next_due.reset(), reply.promoted = 0;
        std::vector<job_array> dropped;  // outlives the lock: nobody waits while payloads are freed
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        if (auto ok = check(r); !ok) return ok;
        const time_point now = clock_.now();
        for (const auto& ref : r.finished) {
            if (!leases_.find(ref.id, r.worker)) reply.lost.push_back(ref.id);
            else dropped.push_back(leases_.close(ref.id).jobs);
        }
        for (const auto& p : r.progressed) progress(p, r.worker, now, reply, dropped, touched);
        if (r.promote) reply.promoted = shelf_.promote(now, touched);
        roster_.wake(touched, r.worker);
        if (r.announce_awake) roster_.woke_up(r.worker, *here);
        if (r.announce_sleep) roster_.fell_asleep(r.worker, here);
        if (r.limit > 0) claim(r, reply);
        if (r.look_ahead) reply.next_due = shelf_.next_due(now);
        if (r.pass_on) roster_.wake_colleague(r.worker);
        return {};
    }

    wake_reason wait(waiter& here, duration timeout) {
        std::unique_lock lock{mutex_};
        waiting_.push_back(&here);
        clock_.wait(lock, here.changed, timeout, [&] { return here.notified || here.interrupted; });
        std::erase(waiting_, &here);
        if (std::exchange(here.interrupted, false)) return wake_reason::interrupted;
        return std::exchange(here.notified, false) ? wake_reason::notified : wake_reason::timeout;
    }
    void interrupt(waiter& here) noexcept {
        const std::lock_guard lock{mutex_};
        here.interrupted = true;
        here.changed.notify_one();
    }
    void forget(const waiter& here) noexcept {
        const std::lock_guard lock{mutex_};
        roster_.forget(here);
    }

    result<worker_id> register_worker(const worker_info& info) {
        if (info.lease_time <= duration::zero())
            return error_info{errc::invalid_option, "a worker's lease time must be more than nothing"};
        const std::lock_guard lock{mutex_};
        return roster_.add(info, clock_.steady_now());
    }
    beat_reply beat(worker_id id) {
        const std::lock_guard lock{mutex_};
        return roster_.beat(id, clock_.steady_now());
    }
    rescue_reply rescue() {
        rescue_reply reply;
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        for (const worker_id dead : roster_.overdue(clock_.steady_now())) {
            roster_.remove(dead);
            ++reply.workers;
            for (const auto& ref : leases_.of(dead)) rescue_lease(leases_.close(ref.id), reply, touched);
        }
        roster_.wake(touched);
        return reply;
    }
    void retire(worker_id id) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        roster_.remove(id);
        for (const auto& ref : leases_.of(id)) return_lease(leases_.close(ref.id), touched);
        roster_.wake(touched);
    }
    std::vector<lease_ref> leases_of(worker_id id) const {
        const std::lock_guard lock{mutex_};
        return leases_.of(id);
    }
    void give_back(std::span<const lease_ref> refs) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        for (const auto& ref : refs) return_lease(leases_.close(ref.id), touched);
        roster_.wake(touched);
    }

    std::int64_t cancel(std::span<const job_id> ids) {
        std::vector<job_id> sorted{ids.begin(), ids.end()};
        std::sort(sorted.begin(), sorted.end());
        const std::lock_guard lock{mutex_};
        return shelf_.cancel(sorted);
    }
    std::int64_t requeue(std::span<const job_id> ids) {
        std::vector<lane_id> touched;
        const std::lock_guard lock{mutex_};
        const std::int64_t n = shelf_.requeue(ids, touched);
        roster_.wake(touched);
        return n;
    }
    std::vector<held_job> held(lane_id lane, std::size_t limit) const {
        const std::lock_guard lock{mutex_};
        return shelf_.held(lane, limit);
    }
    lane_counts counts(lane_id lane) const {
        const std::lock_guard lock{mutex_};
        lane_counts c = shelf_.counts(lane);
        c.leased = leases_.unfinished(lane);
        return c;
    }

private:
    static result<void> check_name(std::string_view name) {
        if (name.empty() || name.size() > max_name_bytes) return errc::invalid_name;
        if (!pgq::detail::is_storable_text(name)) return errc::invalid_text;
        return {};
    }
    static time_point resolve(when w, time_point now) noexcept {
        const std::chrono::microseconds micros{w.micros()};
        return w.how() == when::kind::relative ? shifted(now, micros) : time_point{micros};
    }
    static pgq::rank rank_of(const enqueue_options& o, time_point now) noexcept {
        if (!o.expected_at.is_set()) return pgq::rank::of(o.priority);
        const auto deadline = std::chrono::floor<std::chrono::milliseconds>(resolve(o.expected_at, now));
        return pgq::rank::of(o.priority, deadline.time_since_epoch().count());
    }

    /// Everything that can be wrong with a request, before any of it happens.
    result<void> check(const exchange_request& r) {
        if (((r.limit > 0 && !r.lanes.empty()) || r.announce_sleep) && !roster_.has(r.worker)) return errc::worker_lost;
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
        after.for_each_unfinished([&](const job&) { nothing = false; });
        return nothing;
    }

    void progress(const lease_progress& p, worker_id worker, time_point now, exchange_reply& reply,
                  std::vector<job_array>& dropped, std::vector<lane_id>& touched) {
        lease* l = leases_.find(p.ref.id, worker);
        if (!l) return reply.lost.push_back(p.ref.id);
        for (const auto& item : p.items) {
            if (l->has_left(item.index)) continue;  // said before
            l->leave(std::size_t{item.index});
            settle((*l->jobs)[item.index], item, now, touched);
        }
        l->leave(p.mask);
        if (!p.last) return reply.moved.push_back({.id = p.ref.id});
        dropped.push_back(leases_.close(p.ref.id).jobs);
    }

    void settle(job j, const settlement& s, time_point now, std::vector<lane_id>& touched) {
        if (s.kind == settle_kind::hold) return shelf_.hold(alone(j), s.reason);
        if (s.kind == settle_kind::release) uncount(j);
        touched.push_back(j.lane);
        if (s.delay <= duration::zero()) return shelf_.put(std::move(j));
        shelf_.defer(alone(j), shifted(now, std::chrono::ceil<std::chrono::microseconds>(s.delay)));
    }

    void claim(const exchange_request& r, exchange_reply& reply) {
        for (auto& batch : shelf_.take(r.lanes, r.limit)) {
            for (job& j : batch.jobs)
                if (j.attempts < std::numeric_limits<std::int16_t>::max()) ++j.attempts;
            reply.leases.push_back(leases_.open({
                .worker = r.worker,
                .lane = batch.asked.lane,
                .max_attempts = std::max(batch.asked.max_attempts, std::int16_t{1}),
                .jobs = std::make_shared<const std::vector<job>>(std::move(batch.jobs)),
            }));
        }
    }

    /// The attempts do not count: nobody began them, or they end with the worker's own consent.
    void return_lease(const lease& l, std::vector<lane_id>& touched) {
        l.for_each_unfinished([&](job j) {
            uncount(j);
            touched.push_back(j.lane);
            shelf_.put(std::move(j));
        });
    }
    /// The attempts count: any of these jobs may be what killed the worker.
    void rescue_lease(const lease& l, rescue_reply& reply, std::vector<lane_id>& touched) {
        l.for_each_unfinished([&](job j) {
            if (j.attempts >= l.max_attempts) {
                ++reply.held;
                return shelf_.hold(alone(j), "its worker died");
            }
            ++reply.returned;
            touched.push_back(j.lane);
            shelf_.put(std::move(j));
        });
    }
    static void uncount(job& j) noexcept {
        if (j.attempts > 0) --j.attempts;
    }

    void time_moved() {
        const std::lock_guard lock{mutex_};
        for (waiter* w : waiting_) w->changed.notify_one();
    }

    in_memory::clock clock_;
    std::shared_ptr<const void> watch_{};
    mutable std::mutex mutex_{};
    std::map<std::pair<std::string, std::string>, lane_id> names_{};
    std::int64_t last_job_ = 0;
    shelf shelf_{};
    lease_book leases_{};
    roster roster_{};
    std::vector<waiter*> waiting_{};
};

}  // namespace pgq::driver::in_memory
