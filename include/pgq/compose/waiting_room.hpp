#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Where a program waits for the ends of jobs, all on one session: one of the threads that wait, the leader, asks and listens for all,
/// and hands over when its own jobs have ended. For those who wait without a thread, the room has one of its own.
template <class Driver>
class waiting_room {
    using clock = std::chrono::steady_clock;

public:
    using answer = result<std::vector<ended_job>>;

    explicit waiting_room(const Driver& driver) : driver_{&driver} {}
    waiting_room(const waiting_room&) = delete;
    waiting_room& operator=(const waiting_room&) = delete;
    /// Those that still wait without a thread hear errc::closed.
    ~waiting_room() {
        {
            const std::lock_guard lock{mutex_};
            closed_ = true;
            // Not there in a queue that was refused, whose message is to stay the only one.
            if constexpr (requires(typename Driver::session & s) { s.interrupt(); })
                if (session_) session_->interrupt();
        }
        changed_.notify_all();
        if (usher_.joinable()) usher_.join();
    }

    /// Until all have ended, or `deadline`: then errc::timeout, or why the database could not be asked. In the order of `ids`.
    answer wait(std::span<const job_id> ids, steady_time deadline, duration keep) {
        if constexpr (!diagnostic::require_worker_session<Driver>()) return errc::invalid_option;
        else return wait_for(ids, deadline, keep);
    }

    /// A number for `wait_aside`, by which that can be called off.
    std::uint64_t ticket() {
        const std::lock_guard lock{mutex_};
        return ++tickets_;
    }
    /// The same as `wait` without a thread: `done` is called with the answer, on the room's own thread, and shall not block it.
    void wait_aside(std::uint64_t ticket, std::span<const job_id> ids, steady_time deadline, duration keep,
                    std::function<void(answer)> done) {
        const std::lock_guard lock{mutex_};
        auto& mine = asides_.emplace_back(std::make_unique<aside>(guest{ids, deadline, keep}, ticket, std::move(done)));
        mine->here = enter(mine->me);
        if (!usher_.joinable()) usher_ = std::thread{[this] { usher(); }};
        changed_.notify_all();
    }
    /// Who waits no longer hears `why`, unless the answer is on its way already.
    void forget(std::uint64_t ticket, error_info why) {
        const std::lock_guard lock{mutex_};
        for (auto& a : asides_)
            if (a->ticket == ticket) a->me.refused = why;
        if (led_ && session_) session_->interrupt();
        changed_.notify_all();
    }

private:
    struct guest {
        guest(std::span<const job_id> ids, steady_time until, duration kept)
            : all(ids.begin(), ids.end()), open{all}, keep{kept}, deadline{until} {}

        std::vector<job_id> all;
        std::vector<job_id> open;
        std::vector<ended_job> ended{};
        duration keep{};
        steady_time deadline{};
        // Whoever comes late still gets an answer of what is the case now, if the database gives one.
        steady_time last = std::max<steady_time>(deadline, clock::now() + std::chrono::seconds{5});
        bool asked = false;
        std::optional<error_info> refused{};
    };
    using place = typename std::list<guest*>::iterator;

    struct aside {
        aside(guest g, std::uint64_t t, std::function<void(answer)> d)
            : me{std::move(g)}, ticket{t}, done{std::move(d)} {}

        guest me;
        std::uint64_t ticket;
        std::function<void(answer)> done;
        place here{};
    };

    answer wait_for(std::span<const job_id> ids, steady_time deadline, duration keep) {
        guest me{ids, deadline, keep};
        std::unique_lock lock{mutex_};
        const auto here = enter(me);
        while (!is_over(me)) {
            if (!led_) lead(lock, me);
            else changed_.wait_until(lock, until(me), [&] { return !led_ || me.open.empty() || me.refused; });
        }
        guests_.erase(here);
        changed_.notify_all();
        return answer_of(me);
    }

    place enter(guest& g) {
        trouble_.reset();
        if (led_ && session_) session_->interrupt();  // the leader is to ask for mine, too
        return guests_.insert(guests_.end(), &g);
    }
    steady_time until(const guest& g) const noexcept { return g.asked || trouble_ ? g.deadline : g.last; }
    bool is_over(const guest& g) const noexcept { return g.open.empty() || g.refused || clock::now() >= until(g); }
    answer answer_of(guest& g) const {
        if (g.refused) return std::move(*g.refused);
        if (!g.open.empty()) return trouble_ ? *trouble_ : too_late(g.open.size(), g.all.size());
        return in_order(std::move(g.ended), g.all);
    }

    // Leads for those without a thread, as long as there are any.
    void usher() {
        std::unique_lock lock{mutex_};
        for (;;) {
            const bool last = closed_;
            if (last)
                for (auto& a : asides_) a->me.refused = error_info{errc::closed, "the queue object is gone"};
            answer_asides(lock);
            if (last) return;
            if (closed_) continue;  // since then: some wait who have not heard it
            if (asides_.empty()) changed_.wait(lock, [this] { return closed_ || !asides_.empty(); });
            else if (!led_) lead(lock, asides_.front()->me);
            else changed_.wait_until(lock, next_deadline());
        }
    }
    void answer_asides(std::unique_lock<std::mutex>& lock) {
        for (auto a = asides_.begin(); a != asides_.end();) {
            if (!is_over((*a)->me)) {
                ++a;
                continue;
            }
            guests_.erase((*a)->here);
            const auto over = std::move(*a);
            asides_.erase(a);
            auto said = answer_of(over->me);
            lock.unlock();
            over->done(std::move(said));
            lock.lock();
            a = asides_.begin();  // some may have come or gone
        }
    }
    steady_time next_deadline() const noexcept {
        steady_time next = steady_time::max();
        for (const auto& a : asides_) next = std::min(next, until(a->me));
        return next;
    }

    static error_info too_late(std::size_t open, std::size_t all) {
        return {errc::timeout,
                std::to_string(open) + " of " + std::to_string(all) + (all == 1 ? " job has" : " jobs have") +
                    " not ended in time",
                "wait longer, or look whether a worker serves them"};
    }
    static std::vector<ended_job> in_order(std::vector<ended_job> ended, std::span<const job_id> ids) {
        std::sort(ended.begin(), ended.end(), [](const ended_job& a, const ended_job& b) { return a.id < b.id; });
        std::vector<ended_job> out;
        out.reserve(ids.size());
        for (const job_id id : ids)
            out.push_back(*std::lower_bound(ended.begin(), ended.end(), id,
                                            [](const ended_job& e, job_id i) { return e.id < i; }));
        return out;
    }

    // One round: ask for everybody, then wait for news.
    void lead(std::unique_lock<std::mutex>& lock, guest& me) {
        led_ = true;
        std::vector<job_id> ids;
        duration keep{};
        steady_time until = steady_time::max();
        for (guest* g : guests_) {
            ids.insert(ids.end(), g->open.begin(), g->open.end());
            keep = std::max(keep, g->keep);
            until = std::min(until, g->deadline);
        }
        lock.unlock();
        std::sort(ids.begin(), ids.end());
        ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
        std::vector<ended_job> ended;
        const auto asked = ask(ids, keep, ended);
        lock.lock();
        deliver(asked, ids, ended);
        const bool go_on =
            asked && !me.open.empty() &&
            std::none_of(guests_.begin(), guests_.end(), [](const guest* g) { return !g->asked && !g->refused; });
        if (go_on && session_) {
            const auto pause = std::min<duration>(pause_, until - clock::now());
            pause_ = std::min<duration>(pause_ * 2, std::chrono::seconds{1});
            lock.unlock();
            if (pause > duration{}) rest(pause);
            lock.lock();
        } else if (!asked && ends_session(*trouble_) && !me.open.empty() && !closed_) {
            const auto pause = std::min<duration>(retry_.failed(unit_random()), until - clock::now());
            changed_.wait_for(lock, std::max(pause, duration{}));
        }
        led_ = false;
        changed_.notify_all();
    }

    result<void> ask(const std::vector<job_id>& ids, duration keep, std::vector<ended_job>& ended) {
        if (!session_) {
            auto opened = driver_->connect(session_role::client);
            if (!opened) return opened.error();
            const std::lock_guard lock{mutex_};
            session_.emplace(std::move(*opened));
        }
        auto watched = session_->watch(ids, keep, ended);
        if (!watched && ends_session(watched.error())) {
            const std::lock_guard lock{mutex_};
            session_.reset();
        }
        return watched;
    }

    // Where nobody works, nobody else ends what has expired.
    void rest(duration pause) {
        const auto woken = session_->wait(pause);
        if (woken && *woken == wake_reason::notified) pause_ = first_pause;
        const bool swept =
            woken && (*woken != wake_reason::timeout || pause_ < std::chrono::milliseconds{500} || session_->sweep());
        if (woken && swept) return;
        const std::lock_guard lock{mutex_};
        session_.reset();
    }

    void deliver(const result<void>& asked, const std::vector<job_id>& ids, std::vector<ended_job>& ended) {
        trouble_.reset();
        if (!asked) trouble_ = asked.error();
        else retry_.succeeded();
        std::sort(ended.begin(), ended.end(), [](const ended_job& a, const ended_job& b) { return a.id < b.id; });
        const bool fatal = !asked && !ends_session(asked.error());
        for (guest* g : guests_) {
            if (fatal) g->refused = asked.error();
            // One that came meanwhile was not asked for.
            g->asked = g->asked || std::all_of(g->open.begin(), g->open.end(), [&](job_id id) {
                           return std::binary_search(ids.begin(), ids.end(), id);
                       });
            std::erase_if(g->open, [&](job_id id) {
                const auto found = std::lower_bound(ended.begin(), ended.end(), id,
                                                    [](const ended_job& e, job_id i) { return e.id < i; });
                const bool over = found != ended.end() && found->id == id;
                if (over) g->ended.push_back(*found);
                return over;
            });
        }
    }

    static constexpr duration first_pause = std::chrono::milliseconds{100};

    const Driver* driver_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<guest*> guests_;
    std::list<std::unique_ptr<aside>> asides_;
    std::uint64_t tickets_ = 0;
    std::thread usher_;
    bool closed_ = false;
    std::optional<typename Driver::session> session_;
    std::optional<error_info> trouble_;
    fsm::reconnect retry_{};
    duration pause_ = first_pause;
    bool led_ = false;
};

}  // namespace pgq::detail
