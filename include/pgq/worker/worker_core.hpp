#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/concept/executor.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/event/events.hpp>
#include <pgq/fsm/worker.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/worker/claim_cursors.hpp>
#include <pgq/worker/completion_queue.hpp>
#include <pgq/worker/held_lease.hpp>
#include <pgq/worker/held_leases.hpp>
#include <pgq/worker/job_runner.hpp>
#include <pgq/worker/limited_lanes.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Everything of a worker but its I/O: the leases in hand, what has to be told about them, what to claim next. The shells
/// (worker, async_worker) ask `next()`, carry the action out and say how it went. All members belong to the worker's own
/// thread; the handlers' threads only call `run_one` and so reach the completion queue.
template <class Executor, class Observer>
class worker_core {
    using runner_type = job_runner<Executor, Observer>;

public:
    worker_core(runner_type& runner, const fsm::worker_options& o)
        : runner_{&runner}, machine_{o}, gate_{o.window.slots}, overlap_{o.overlap} {}

    /// The lanes to claim from, with what they are, and the limits that hold for them.
    void serve(std::span<const lane_id> lanes, std::span<const lane_entry> entries, std::int16_t max_attempts,
               limiter_set limiters, std::span<const lane_limit> global) {
        places_.clear();
        lanes_.clear();
        for (std::size_t i = 0; i < lanes.size(); ++i) {
            places_.push_back({.lane = lanes[i], .entry = entries[i]});
            in_batches_ = in_batches_ || runner_->functions(entries[i].job).in_batches;
            const auto mine = [&](const lane_limit& l) {
                return l.entrypoint.empty() || l.entrypoint == entries[i].name.entrypoint;
            };
            const auto& how = runner_->functions(entries[i].job);
            // What is gone before it runs has no last attempt.
            const std::int16_t most = how.once ? std::numeric_limits<std::int16_t>::max() : max_attempts;
            if (limiters.of_job[entries[i].job] || limiters.of_queue || std::any_of(global.begin(), global.end(), mine))
                gate_.add(i, lanes[i], entries[i].job, most, how.apart);
            else lanes_.add({.lane = lanes[i], .max_attempts = most, .each = how.apart});
        }
        gate_.become(std::move(limiters), lanes.size());
    }
    void become(worker_id id) noexcept { worker_ = id; }
    worker_id id() const noexcept { return worker_; }

    fsm::worker_action next(steady_time now) {
        now_ = now;
        collect(now);
        machine_.beside(in_batches_ ? runner_->beside_with_batch(machine_.in_hand()) : runner_->beside());
        if (machine_.stalled(now)) take_back(now);
        auto a = machine_.next(now);
        if (a.what == fsm::worker_do::wait) runner_->box.expect(machine_.worth_waking());
        if (a.what == fsm::worker_do::stop && has_news()) {
            machine_.flush(now);
            a = machine_.next(now);
        }
        return a;
    }

    /// What to send for an exchange. Valid until the next call of a member.
    const exchange_request& request(const fsm::worker_action& a, steady_time now) {
        finished_.clear();
        progressed_.clear();
        for (auto& s : slots_) s->in_request = false;
        if (careful_ && has_unsettled()) show_one();
        else show_all(a, now);
        request_ = {.worker = worker_,
                    .finished = finished_,
                    .progressed = progressed_,
                    .lanes = lanes_.ask(a.from_start || put_back_),
                    .limit = careful_ ? 0 : a.limit,
                    .limited = gate_.ask(careful_ || machine_.stopping(), a.from_start || a.announce_sleep,
                                         machine_.limited_ahead(), now),
                    .limited_room = gate_.room(),
                    .freed = gate_.freed(),
                    .promote = a.promote,
                    .look_ahead = a.look_ahead,
                    .announce_sleep = a.announce_sleep && !careful_,  // only together with a claim
                    .announce_awake = a.announce_awake,
                    .crowded = crowded_,
                    .pass_on = a.pass_on};
        return request_;
    }

    /// The exchange happened: writes off what was told, and starts what was claimed.
    void exchanged(fsm::worker_action a, exchange_reply& reply, steady_time now) {
        a.limit = request_.limit;
        a.announce_sleep = request_.announce_sleep;
        put_back_ = false;
        if (a.look_ahead) {
            crowded_ = reply.workers > a_crowd;
            machine_.among(reply.workers);
        }
        for (auto& s : slots_)
            if (s->in_request) write_off(*s, reply);
        slots_.release();
        if (careful_ && !has_unsettled()) careful_ = false;
        std::size_t claimed = 0, limited = 0, bytes = 0;
        for (const auto& l : reply.leases) {
            claimed += l.jobs.size();
            if (gate_.began(place_of(l.lane), static_cast<std::uint32_t>(l.jobs.size()), now)) limited += l.jobs.size();
            for (const auto& j : l.jobs) bytes += j.body.size();
        }
        lanes_.claimed(a.limit > 0, a.from_start, reply.leases);
        machine_.exchanged(a, static_cast<std::uint32_t>(claimed - limited), reply.promoted, reply.next_due, now);
        if (gate_.any()) gate_.answered(reply.again.has_value(), now);
        if (gate_.any())
            machine_.claimed_limited(static_cast<std::uint32_t>(limited), gate_.again(reply.again), reply.more_limited,
                                     now);
        for (const duration d : rests_) machine_.put_off(d, now);
        rests_.clear();
        machine_.claimed_bytes(bytes, static_cast<std::uint32_t>(claimed));
        if (careful_ || has_unsettled()) machine_.flush(now);
        if (claimed == 0) return;
        notify(runner_->observer(), event::jobs_claimed{worker_, claimed});
        start(reply);
    }

    /// Hands to the executor what was claimed. Where exchanges overlap with jobs that is for the shell to do, while the next one is under
    /// way, and to say when they had run; elsewhere it has happened already. How many have begun.
    std::uint32_t run_claimed() {
        std::uint32_t begun = 0;
        for (const auto& o : order_) {
            begun +=
                o.slot->taken[o.position].load(std::memory_order_relaxed) ? 0 : 1;  // else it was taken back meanwhile
            runner_->dispatch(*o.slot, o.position);
        }
        if (!order_.empty()) runner_->dispatched();
        order_.clear();
        return begun;
    }
    bool has_claimed() const noexcept { return !order_.empty(); }
    /// So many have run in the shell's thread, the last until `when`. The worker hears of them when the exchange is over.
    void ran(std::uint32_t n, steady_time when) noexcept { machine_.ran(n, when); }

    /// The server refused the exchange. When there was something to tell it is told again without a claim and piece by piece, so
    /// that one bad piece spoils nothing else; a piece that is refused by itself is replaced by a note that cannot be.
    void refused(const fsm::worker_action& a, const error_info& why, steady_time now) {
        notify(runner_->observer(), event::trouble{why});
        const bool again = why == condition::contention || why == condition::transient;
        if (!again && careful_) replace_refused(why);
        else if (!again && has_news()) careful_ = true;
        machine_.failed(a, now);
        if (has_news()) machine_.flush(now);
    }

    /// A new session of the same worker; `held` and `unknown` as in compare().
    void reconnected(std::span<const lease_ref> held, std::vector<lease_ref>& unknown, steady_time now) {
        compare(held, unknown);
        start_over();
        if (has_news()) machine_.flush(now);
    }

    /// `held` is what the database says this worker holds. What is gone was acknowledged by an exchange whose answer was lost, or
    /// belongs to somebody else by now; what is unknown here, claimed by such an exchange, goes into `unknown`.
    void compare(std::span<const lease_ref> held, std::vector<lease_ref>& unknown) {
        unknown.clear();
        for (const auto& h : held) {
            const auto mine = std::find_if(slots_.begin(), slots_.end(),
                                           [&](const auto& s) { return !s->lost && s->lease.ref.id == h.id; });
            if (mine == slots_.end()) unknown.push_back(h);
            else if ((*mine)->lease.ref.place != h.place) (*mine)->lease.ref.place = h.place;
        }
        for (auto& s : slots_) {
            const auto same = [&](const lease_ref& h) { return h.id == s->lease.ref.id; };
            if (s->lost || s->closing.load() || std::any_of(held.begin(), held.end(), same)) continue;
            if (s->in_request && s->unfinished == 0)
                s->lost = true;  // it ended as we asked, only the answer is missing
            else lose(*s);
        }
        slots_.release();
    }

    /// Whether an exchange has not found a lease: ask for `news`.
    bool astray() const noexcept { return astray_; }
    /// What the database says of this worker's leases. Those that it does not know are lost; of the others jobs may be
    /// tracked since, or asked to stop.
    void heard(std::span<const lease_news> news, steady_time now) {
        astray_ = false;
        for (auto& s : slots_) {
            if (s->lost) continue;
            const auto mine = std::find_if(news.begin(), news.end(),
                                           [&](const lease_news& n) { return n.ref.id == s->lease.ref.id; });
            if (mine == news.end()) {
                if (!s->closing.load()) lose(*s);
                continue;
            }
            s->heard(*mine);
            stop_asked(*s, now);
            // The exchange that has not found it was to put these back, and has claimed before they are.
            put_back_ = put_back_ || std::any_of(s->unsettled.begin(), s->unsettled.end(),
                                                 [](const auto& u) { return goes_back(u.what); });
        }
        if (put_back_) machine_.put_back();
        slots_.release();
        if (has_news()) machine_.flush(now);
    }

    /// All leases are gone, and nobody knows that it sleeps: somebody declared this worker dead, or it could not say that it lives.
    void lose_all() {
        for (auto& s : slots_)
            if (!s->lost && !s->closing.load()) lose(*s);
        slots_.release();
        start_over();
    }

    void notified() noexcept { machine_.notified(); }
    void stop_requested(steady_time now) {
        if (machine_.stopping()) return;
        runner_->giving_back.request_stop();  // what has not started goes back
        machine_.stop_requested(now);
        take_back(now);
    }
    bool stopping() const noexcept { return machine_.stopping(); }
    void deferred_left(std::int64_t n, steady_time now) noexcept { machine_.deferred_left(n, now); }

    void interrupt() {
        for (auto& s : slots_) s->stop_all();
    }
    /// Gives back the jobs of handlers that do not end; what those return later is not heard.
    void abandon(std::vector<lease_ref>& leases) {
        leases.clear();
        for (auto& s : slots_)
            if (!s->lost && s->unfinished > 0) leases.push_back(s->lease.ref), s->lost = true;
        machine_.dropped(machine_.in_hand());
    }

    std::span<const claim_lane> lanes() const noexcept { return lanes_.all(); }

private:
    void collect(steady_time now) {
        // Not the time of hearing of it: who has waited for a slow server would take its jobs for slow.
        const steady_time last = runner_->box.take(notes_);
        if (notes_.empty()) return;
        bool urgent = false, returned = false;
        for (auto& n : notes_) {
            const bool limited = gate_.ended(n.slot->lane_index, 1, now);
            if (n.what.aside) {
                n.slot->lost = true;
                gate_.will_free(n.slot->lane_index);
                urgent = urgent || limited;
            }
            if (n.slot->lost) {
                --n.slot->unfinished;
                continue;
            }
            const bool back = goes_back(n.what);
            const bool asked = n.slot->has_flag(n.slot->lease.jobs[n.position].index, flag_tracked);
            urgent = urgent || !n.what.gone || asked || limited;  // somebody may wait for its place, or its end
            returned = returned || back;
            if (back) lanes_.goes_back(n.slot->lease.lane, n.slot->lease.jobs[n.position]);
            n.slot->finish(n.position, std::move(n.what), now);
        }
        machine_.finished(static_cast<std::uint32_t>(notes_.size()), std::min(last, now));
        if (returned) machine_.returned();
        if (urgent) machine_.flush(now);
        notes_.clear();
        slots_.release();
    }

    static bool goes_back(const job_result& v) noexcept {
        return !v.gone && v.delay <= duration{} && v.kind != settle_kind::hold;
    }

    // What no thread has begun goes back to the queue, its attempt not counted. The last first: what a thread begins meanwhile is then
    // never behind one that goes back.
    void take_back(steady_time now) {
        bool any = false;
        std::vector<held_lease*> last_first;
        for (auto& s : slots_) last_first.push_back(s.get());
        std::sort(last_first.begin(), last_first.end(),
                  [](const held_lease* a, const held_lease* b) { return a->claimed.id > b->claimed.id; });
        for (auto* s : last_first) {
            if (s->lost) continue;
            any = take_unbegun(
                      *s, [&](std::uint32_t i) { s->finish(i, {.gone = false, .kind = settle_kind::release}, now); }) ||
                  any;
        }
        if (!any) return;
        put_back_ = true;
        machine_.put_back();
        machine_.flush(now);
    }

    // Those that run see their stop tokens; those that have not begun never do.
    void stop_asked(held_lease& s, steady_time now) {
        for (std::uint32_t i = 0; i < s.lease.jobs.size(); ++i) {
            const std::uint32_t index = s.lease.jobs[i].index;
            if (!s.has_flag(index, flag_stop) || held_lease::is_set(s.left, index)) continue;
            s.stops[i].request_stop();
            if (s.unfinished == 0 || !s.take(i)) continue;
            s.stale.fetch_add(1, std::memory_order_relaxed);
            gate_.ended(s.lane_index, 1, now);
            s.finish(i, {.gone = false, .kind = settle_kind::release}, now);
            machine_.dropped(1);
        }
    }

    template <class Then>
    bool take_unbegun(held_lease& s, Then then) {
        std::uint32_t n = 0;
        for (auto i = static_cast<std::uint32_t>(s.lease.jobs.size()); i-- > 0 && s.unfinished > 0;) {
            if (!s.take(i)) continue;
            s.stale.fetch_add(1, std::memory_order_relaxed);
            gate_.ended(s.lane_index, 1, now_);
            then(i);
            ++n;
        }
        if (n != 0) machine_.dropped(n);
        return n != 0;
    }

    void show_all(const fsm::worker_action& a, steady_time now) {
        for (auto& s : slots_) {
            if (!s->dirty || s->lost || s->astray) continue;
            const bool whole = s->unfinished == 0 && !s->keeps;
            // A row is rewritten for a part of its jobs only when that part has waited, or when it says more than "done".
            if (!whole && s->unsettled.empty() && a.limit > 0 && !gate_.is_limited(s->lane_index) &&
                now - s->dirty_since < std::chrono::milliseconds{50})
                continue;
            s->in_request = true;
            gate_.will_free(s->lane_index);
            s->show(s->unsettled.size(), whole);
            if (whole && s->items.empty() && s->flags.empty()) finished_.push_back(s->lease.ref);
            else progressed_.push_back({s->lease.ref, whole, s->mask, s->items, !s->flags.empty()});
        }
    }

    void show_one() {
        for (auto& s : slots_) {
            if (!s->dirty || s->lost || s->astray || s->unsettled.empty()) continue;
            s->in_request = true;
            s->show(1, s->ends_with(1));
            progressed_.push_back({s->lease.ref, s->ends_with(1), s->mask, s->items, !s->flags.empty()});
            return;
        }
    }

    void replace_refused(const error_info& why) {
        for (auto& s : slots_) {
            if (!s->in_request || s->unsettled.empty()) continue;
            auto& p = s->unsettled.front();
            if (p.what.kind == settle_kind::hold && p.what.reason.starts_with(cannot_store)) {
                s->unsettled.erase(s->unsettled.begin());  // not even that: the job stays leased until this worker ends
                s->keeps = true;
                return;
            }
            p.what = {.gone = false, .kind = settle_kind::hold};
            p.what.reason = std::string{cannot_store} + why.code.message();
            return;
        }
    }

    void write_off(held_lease& s, const exchange_reply& reply) {
        s.in_request = false;
        const auto id = s.lease.ref.id;
        if (std::find(reply.lost.begin(), reply.lost.end(), id) != reply.lost.end()) {
            s.astray = astray_ = true;
            return;
        }
        const auto moved =
            std::find_if(reply.moved.begin(), reply.moved.end(), [&](const lease_ref& m) { return m.id == id; });
        for (const auto& i : s.items)
            if (i.kind != settle_kind::hold && i.delay > duration{}) rests_.push_back(i.delay);
        s.told(moved == reply.moved.end() ? s.lease.ref.place : moved->place);
    }

    void lose(held_lease& s) {
        (void)take_unbegun(s, [&](std::uint32_t) { --s.unfinished; });
        notify(runner_->observer(), event::lease_lost{s.lease.ref.id, s.unfinished});
        s.lost = true;
        s.dirty = false;
        s.unsettled.clear();
        s.astray = false;
        s.stop_all();
    }

    void start_over() {
        lanes_.start_over();
        machine_.reconnected();
    }

    // In one order over all lanes.
    void start(exchange_reply& reply) {
        const auto first = static_cast<std::ptrdiff_t>(order_.size());
        for (auto& l : reply.leases) {
            const std::size_t place = place_of(l.lane);
            held_lease& s = slots_.open();
            s.open(std::move(l), places_[place].entry.job, places_[place].entry.version);
            s.lane_index = place;
            s.worker = worker_;
            s.limited = gate_.is_limited(place);
            for (std::uint32_t i = 0; i < s.lease.jobs.size(); ++i) order_.push_back({&s, i});
        }
        // Those of limited lanes first: while they wait here they keep a place that somebody else could use.
        if (reply.leases.size() > 1)
            std::sort(order_.begin() + first, order_.end(), [](const ordered& a, const ordered& b) {
                const auto &x = a.slot->lease.jobs[a.position], &y = b.slot->lease.jobs[b.position];
                return std::tuple{!a.slot->limited, x.rank, x.id} < std::tuple{!b.slot->limited, y.rank, y.id};
            });
        if (!overlap_) (void)run_claimed();
    }

    std::size_t place_of(lane_id lane) const noexcept {
        const auto found =
            std::find_if(places_.begin(), places_.end(), [&](const lane_place& p) { return p.lane == lane; });
        return static_cast<std::size_t>(found - places_.begin());
    }

    bool has_unsettled() const noexcept {
        return std::any_of(slots_.begin(), slots_.end(),
                           [](const auto& s) { return !s->lost && !s->unsettled.empty(); });
    }
    bool has_news() const noexcept {
        return std::any_of(slots_.begin(), slots_.end(), [](const auto& s) { return !s->lost && s->dirty; });
    }

    struct ordered {
        held_lease* slot;
        std::uint32_t position;
    };
    struct lane_place {
        lane_id lane{};
        lane_entry entry{};
    };

    static constexpr std::int64_t a_crowd = 4;  // more workers than there are turns: see statement::take_turn
    static constexpr std::string_view cannot_store = "the outcome could not be stored: ";

    runner_type* runner_;
    fsm::worker machine_;
    worker_id worker_{};
    std::vector<lane_place> places_;  // all lanes, as the composition has them
    limited_lanes gate_;
    claim_cursors lanes_;  // those without limits
    held_leases slots_;
    std::vector<completion> notes_;
    std::vector<duration> rests_;
    std::vector<ordered> order_;
    std::vector<lease_ref> finished_;
    std::vector<lease_progress> progressed_;
    exchange_request request_{};
    steady_time now_{};
    bool overlap_;
    bool in_batches_ = false;  // of some lane
    bool put_back_ = false;
    bool careful_ = false;
    bool astray_ = false;
    bool crowded_ = false;
};

}  // namespace pgq::detail
