#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/unit_random.hpp>
#include <pgq/error/result.hpp>
#include <pgq/fsm/reconnect.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Where the threads of a program wait for the ends of jobs, all on one session: one of them, the leader, asks and listens for all, and
/// hands over when its own jobs have ended.
template <class Driver>
class waiting_room {
    using clock = std::chrono::steady_clock;

public:
    explicit waiting_room(const Driver& driver) : driver_{&driver} {}

    /// Until all have ended, or `deadline`: then errc::timeout, or why the database could not be asked. In the order of `ids`.
    result<std::vector<ended_job>> wait(std::span<const job_id> ids, steady_time deadline, duration keep) {
        guest me{.keep = keep, .deadline = deadline};
        me.open.assign(ids.begin(), ids.end());
        std::unique_lock lock{mutex_};
        const auto here = guests_.insert(guests_.end(), &me);
        trouble_.reset();
        if (led_ && session_) session_->interrupt();  // the leader is to ask for mine, too
        // Whoever comes late still gets an answer of what is the case now, if the database gives one.
        const auto last = std::max<steady_time>(deadline, clock::now() + std::chrono::seconds{5});
        const auto until = [&] { return me.asked || trouble_ ? deadline : last; };
        while (!me.open.empty() && !me.refused && clock::now() < until()) {
            if (!led_) lead(lock, me);
            else changed_.wait_until(lock, until(), [&] { return !led_ || me.open.empty() || me.refused; });
        }
        guests_.erase(here);
        changed_.notify_all();
        if (me.refused) return std::move(*me.refused);
        if (!me.open.empty()) return trouble_ ? *trouble_ : too_late(me.open.size(), ids.size());
        return in_order(std::move(me.ended), ids);
    }

private:
    struct guest {
        std::vector<job_id> open{};
        std::vector<ended_job> ended{};
        duration keep{};
        steady_time deadline{};
        bool asked = false;
        std::optional<error_info> refused{};
    };

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
        } else if (!asked && *trouble_ == errc::connection_lost && !me.open.empty()) {
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
        if (!watched && watched.error() == errc::connection_lost) {
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
        const bool fatal = !asked && asked.error() != errc::connection_lost;
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
    std::optional<typename Driver::session> session_;
    std::optional<error_info> trouble_;
    fsm::reconnect retry_{};
    duration pause_ = first_pause;
    bool led_ = false;
};

}  // namespace pgq::detail
