#pragma once

#include <pgq/concept/executor.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/byte_budget.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/worker/acknowledgements.hpp>
#include <pgq/worker/claim_cursors.hpp>
#include <pgq/worker/claimed_jobs.hpp>
#include <pgq/worker/completion_queue.hpp>
#include <pgq/worker/counted_outcomes.hpp>
#include <pgq/worker/held_leases.hpp>
#include <pgq/worker/job_runner.hpp>
#include <pgq/worker/limited_lanes.hpp>
#include <pgq/worker/names/named_lanes.hpp>
#include <pgq/worker/names/served_lanes.hpp>
#include <pgq/worker/quarantine.hpp>
#include <pgq/worker/take_back.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Everything of a worker except its I/O and its clock. fsm::worker decides what is next; this class knows the leases,
/// fills in what to acknowledge and to claim, and applies the replies. Only the worker's own thread calls the members;
/// handlers' threads reach it through the completion queue of the job runner. next() returns an action. The caller does
/// it, and reports with the member function that fsm::worker_do names for it.
template <class Executor, class Observer>
class worker_core {
    using runner_type = job_runner<Executor, Observer>;

public:
    worker_core(runner_type& runner, const fsm::worker_options& o)
        : runner_{&runner}, machine_{o}, limited_{o.window.slots}, budget_{o.window.max_bytes}, overlap_{o.overlap} {}

    /// Sets the lanes to claim from. `limiters`: the limits of this worker; `global`: the limits for all workers.
    void serve(std::span<const served_lane> lanes, std::int16_t max_attempts, limiter_set limiters,
               std::span<const lane_limit> global) {
        served_.assign(lanes);
        cursors_.clear();
        for (std::size_t i = 0; const auto& l : lanes) {
            const claim_lane claim = claim_of(l, max_attempts);
            const bool has_global_limit = std::any_of(global.begin(), global.end(), [&](const lane_limit& g) {
                return g.entrypoint.empty() || g.entrypoint == l.entrypoint;
            });
            if (limiters.of_job[l.job] || limiters.of_queue || has_global_limit)
                limited_.add(i, l.lane, l.job, claim.max_attempts, claim.lease_per_job);
            else cursors_.add(claim);
            ++i;
        }
        limited_.set_limiters(std::move(limiters), lanes.size());
    }
    /// Sets the queue names to claim from. `kinds`: one for each of served.lanes, without an id.
    void serve(const served_queues& served, std::span<const served_lane> kinds, std::int16_t max_attempts) {
        named_.emplace().serve(served, kinds, [&](const served_lane& k) { return claim_of(k, max_attempts); });
    }
    worker_id id() const noexcept { return worker_; }

    fsm::worker_action next(steady_time now) {
        take_completions(now);
        machine_.set_extra_slots(has_batch_handler_ ? runner_->extra_slots_with_batch(machine_.in_hand())
                                                    : runner_->extra_slots());
        if (machine_.should_give_back(now)) give_back_unstarted(now, event::return_reason::long_jobs);
        if (limited_.any() && cursors_.empty())
            machine_.set_limited_full(limited_.is_full(machine_.limited_prefetch(), now));
        quarantine_.update(claimed_, machine_, budget_.is_used_up(leases_.bytes()), now);
        auto a = decide(now);
        if (a.what != fsm::worker_do::wait && a.what != fsm::worker_do::pause) return a;
        runner_->completions.wake_at(machine_.wake_threshold());
        if (!claimed_.empty()) a = {.what = fsm::worker_do::run_claimed};
        return a;
    }

    /// For the action `sync`: what to send. Valid until the next call of a member.
    const sync_request& request(const fsm::worker_action& a, steady_time now) {
        acks_.fill(leases_, limited_, a.limit > 0, now);
        requested_at_ = now;
        const bool no_claim = acks_.one_at_a_time() || quarantine_.holds_claims();
        request_ = {.worker = worker_,
                    .finished = acks_.finished(),
                    .progressed = acks_.progressed(),
                    .lanes = cursors_.to_claim(a.from_start || must_scan_),
                    .limit = no_claim ? 0 : a.limit,
                    .max_bytes = budget_.left(leases_.bytes()),
                    .counts_bytes = budget_.must_count(a.limit, leases_.bytes(), now),
                    .limited = limited_.to_claim(no_claim || machine_.stopping(), a.from_start || a.subscribe_wakes,
                                                 machine_.limited_prefetch(), now),
                    .limited_capacity = limited_.room(),
                    .lanes_with_capacity = limited_.for_others(),
                    .promote = a.promote,
                    .peek_next_due = a.peek_next_due,
                    .subscribe_wakes = a.subscribe_wakes && !no_claim,  // only together with a claim
                    .unsubscribe_wakes = a.unsubscribe_wakes,
                    .contended = contended_,
                    .wake_peer = a.wake_peer};
        request_.begin_alone = quarantine_.next();
        if (named_) named_->fill(request_, a.from_start || must_scan_, now);
        return request_;
    }

    /// The sync succeeded: forgets what is acknowledged, keeps the claimed leases; without `overlap` starts their jobs.
    void synced(fsm::worker_action a, sync_reply& reply, steady_time now) {
        a.limit = request_.limit;
        a.subscribe_wakes = request_.subscribe_wakes;
        must_scan_ = false;
        if (a.peek_next_due) {
            contended_ = reply.workers > claim_slots;
            machine_.set_worker_count(reply.workers);
        }
        if (acks_.applied(leases_, reply)) machine_.connection_state().leases_changed();
        budget_.answered(reply.has_large, requested_at_);
        const bool more_lanes = named_ && named_->answered(request_, reply, served_, now);
        std::size_t claimed = 0, limited = 0, bytes = 0;
        for (const auto& l : reply.leases) {
            const auto n = static_cast<std::uint32_t>(l.jobs.size());
            claimed += n;
            if (limited_.began(served_.index_of(l.lane), n, now)) limited += n;
            for (const auto& j : l.jobs) bytes += j.body.size();
        }
        // More jobs are there: a full claim.
        if (reply.cut || more_lanes) a.limit = static_cast<std::uint32_t>(claimed - limited);
        else if (named_) a.from_start = true;
        if (quarantine_.answered(claimed_, machine_, reply) && !overlap_) (void)run_claimed();
        cursors_.claimed(a.limit > 0, a.from_start, reply.leases);
        machine_.synced(a, static_cast<std::uint32_t>(claimed - limited),
                        reply.promoted != 0 && reply.promoted_lanes.empty(), reply.next_due, now);
        if (cursors_.promoted(a.limit > 0 && !request_.contended, reply.promoted_lanes) || more_lanes)
            machine_.claim_again();
        if (limited_.any()) {
            limited_.answered(reply.again.has_value(), now);
            if (reply.peers_can_claim_limited) limited_.leave_to_others();
            machine_.claimed_limited(static_cast<std::uint32_t>(limited), limited_.again(reply.again),
                                     reply.peers_can_claim_limited, now);
        }
        for (const duration d : acks_.delays()) machine_.deferred_for(d, now);
        machine_.claimed_bytes(bytes, static_cast<std::uint32_t>(claimed));
        if (acks_.one_at_a_time() || leases_.has_unsettled()) machine_.flush_requested(now);
        if (claimed == 0) return;
        report_claimed(runner_->observer(), worker_, served_, reply.leases);
        start(reply);
    }
    void refused(const fsm::worker_action& a, const error_info& why, steady_time now) {
        notify(runner_->observer(), event::error{why});
        acks_.refused(leases_, why);
        machine_.failed(a, now);
        if (leases_.has_dirty()) machine_.flush_requested(now);
    }

    /// Hands the claimed jobs to the executor; returns how many. With `overlap` the loop calls it between the sending
    /// of the next sync and its answer, and then ran(). Without, synced() calls it.
    std::uint32_t run_claimed() { return claimed_.dispatch(*runner_); }
    void ran(std::uint32_t n, steady_time when) noexcept { machine_.ran(n, when); }

    void notified() noexcept {
        if (named_) named_->notified();
        machine_.notified();
    }
    void deferred_counted(std::int64_t n, steady_time t) noexcept {
        machine_.deferred_counted(n - acks_.unstored(), t);
    }
    void stop_requested(steady_time now) {
        if (machine_.stopping()) return;
        runner_->return_unstarted.request_stop();  // jobs that have not started go back
        machine_.stop_requested(now);
        give_back_unstarted(now, event::return_reason::stopping);
    }
    void interrupt() {
        for (auto& s : leases_) s->stop_all(stop_reason::shutdown);
    }
    /// Whether handlers run, also those of lost leases. From now on the end of each handler wakes the loop.
    bool handlers_run(steady_time now) {
        runner_->completions.wake_at(1);
        take_completions(now);
        return std::any_of(leases_.begin(), leases_.end(), [](const auto& s) { return s->unfinished > 0; });
    }

    /// The connection broke, or could not be made. Returns how long to wait before the next attempt to connect.
    duration broke(double random, steady_time now) noexcept { return machine_.connection_state().broke(random, now); }
    void connected() noexcept { machine_.connection_state().connected(); }
    /// A peer declared this worker dead, or its heartbeat failed for too long: all its leases are lost, and it gets no
    /// wake-ups until it has registered again.
    void declared_dead(steady_time now) {
        for (auto& s : leases_)
            if (!s->lost && !s->closing.load()) lose_lease(*s, now);
        leases_.release();
        start_over();
        machine_.connection_state().declared_dead();
    }
    void registered(worker_id id) noexcept {
        worker_ = id;
        machine_.connection_state().registered();
    }
    /// On a new connection. `stored`: all leases that the database has for this worker; see agree(). Returns true if
    /// this ends the recovery.
    bool leases_compared(std::span<const lease_update> stored, steady_time now) {
        start_over();
        agree(stored, now);
        return machine_.connection_state().leases_compared(!to_give_back_.empty());
    }
    std::span<const lease_ref> to_give_back() const noexcept { return to_give_back_; }
    bool gave_back() noexcept { return machine_.connection_state().gave_back(); }
    void leases_changed() noexcept { machine_.connection_state().leases_changed(); }
    void leases_refreshed(std::span<const lease_update> stored, steady_time now) {
        agree(stored, now);
        machine_.connection_state().leases_refreshed(!to_give_back_.empty(), now);
    }
    void resumed() noexcept { must_scan_ = true, machine_.scan_again(); }  // what was given back is claimable

private:
    fsm::worker_action decide(steady_time now) {
        auto a = machine_.next(now);
        if (a.what == fsm::worker_do::interrupt) interrupt(), a = machine_.next(now);
        if (a.what == fsm::worker_do::abandon && !abandon()) a = machine_.next(now);
        if (a.what == fsm::worker_do::stop && leases_.has_dirty())
            machine_.flush_requested(now), a = machine_.next(now);
        return a;
    }

    void take_completions(steady_time now) {
        const steady_time last = runner_->completions.take(completions_);
        if (completions_.empty()) return;
        if (named_) named_->ran();
        bool urgent = false, requeued = false;  // urgent: acknowledge at once, do not wait for other jobs
        for (auto& c : completions_) {
            held_lease& s = *c.slot;
            const bool limited = limited_.ended(s.lane_index, 1, now);
            counted_outcomes::count_end(s, c.position, c.what);
            if (c.what.settled_by_handler) {
                s.lost = true;  // the handler's thread has ended the lease: there is nothing to acknowledge
                limited_.will_free(s.lane_index);
                urgent = urgent || limited;
            }
            if (s.lost) {
                --s.unfinished;
                continue;
            }
            const job_record& job = s.lease.jobs[c.position];
            urgent = urgent || !c.what.gone || limited || s.has_flag(job.index, flag_tracked);
            if (goes_back(c.what)) {
                requeued = true;
                cursors_.requeued(s.lease.lane, job);
                if (named_) named_->requeued(s.lease.lane, served_);
            }
            s.finish(c.position, std::move(c.what), now);
        }
        machine_.finished(static_cast<std::uint32_t>(completions_.size()), std::min(last, now));
        if (requeued) machine_.claim_again();
        if (urgent) machine_.flush_requested(now);
        completions_.clear();
        leases_.release();
    }

    void give_back_unstarted(steady_time now, event::return_reason why) {
        const std::uint32_t n = take_back(leases_, limited_, now, runner_->observer(), why);
        if (n == 0) return;
        machine_.dropped(n);
        resumed();
        machine_.flush_requested(now);
    }

    // Takes over what the database has. A lease that is missing there was acknowledged by a sync whose answer was lost,
    // or is lost. A lease that is unknown here is then in to_give_back_: such a sync claimed it, or a crash of the
    // server has undone its end. In the others jobs may have become tracked, or should stop.
    void agree(std::span<const lease_update> stored, steady_time now) {
        const auto update = [&](held_lease& s, const lease_update& one) {
            acks_.compare(s, one, now);
            s.apply(one);
            machine_.dropped(stop_flagged(s, limited_, now, runner_->observer()));
            // The sync that did not find the lease has cleared must_scan_. The next sync gives these jobs back.
            must_scan_ = must_scan_ || s.gives_back();
        };
        leases_.compare(stored, to_give_back_, update, [&](held_lease& s) { lose_lease(s, now); });
        if (must_scan_) machine_.scan_again();
        give_back_unstarted(now, event::return_reason::paused);
        leases_.release();
        if (leases_.has_dirty()) machine_.flush_requested(now);
    }
    void lose_lease(held_lease& s, steady_time now) {
        machine_.dropped(lose(s, limited_, now));
        notify(runner_->observer(), event::lease_lost{s.lease.ref.id, s.unfinished});
        s.stop_all(stop_reason::lease_lost);
    }
    // Puts the leases of handlers that do not end into to_give_back_. True if there are any and the connection is open.
    bool abandon() {
        if (machine_.connection_state().is_open()) report_abandoned(runner_->observer(), leases_);
        leases_.abandon(to_give_back_);
        machine_.dropped(machine_.in_hand());
        return !to_give_back_.empty() && machine_.connection_state().is_open();
    }
    void start_over() { cursors_.start_over(), machine_.start_over(), named_ ? named_->start_over() : void(); }
    claim_lane claim_of(const served_lane& l, std::int16_t max_attempts) {
        const auto& how = runner_->functions(l.job);
        has_batch_handler_ = has_batch_handler_ || how.in_batches;
        return l.claim(how.leased_attempts(max_attempts), how.lease_per_job);
    }

    void start(sync_reply& reply) {
        for (auto& l : reply.leases) {
            const std::size_t index = served_.index_of(l.lane);
            held_lease& s = leases_.open();
            s.open(std::move(l), served_[index].job, served_[index].version, requested_at_);
            s.lane_index = index;
            s.queue = served_[index].queue;
            s.entrypoint = served_[index].entrypoint;
            s.worker = worker_;
            s.counters = &runner_->counters.of(index, s.lease.lane);
            s.limited = limited_.is_limited(index);
            claimed_.add_lease(s);
        }
        claimed_.sort();
        if (!overlap_) (void)run_claimed();
    }

    static constexpr std::int64_t claim_slots = 4;  // see statement::take_claim_slot
    runner_type* runner_;
    fsm::worker machine_;
    worker_id worker_{};
    served_lanes served_;
    std::optional<named_lanes> named_;  // for a worker of many queue names
    limited_lanes limited_;
    claim_cursors cursors_;
    held_leases leases_;
    acknowledgements acks_;
    claimed_jobs claimed_;
    quarantine quarantine_;
    std::vector<completion> completions_;
    std::vector<lease_ref> to_give_back_;
    sync_request request_{};
    steady_time requested_at_{};  // of the latest request
    fsm::byte_budget budget_;
    bool overlap_;
    bool has_batch_handler_ = false;  // for some job type
    bool must_scan_ = false;          // this worker gives back jobs that are before its cursors
    bool contended_ = false;          // there are more workers than claim slots
};

}  // namespace pgq::detail
