#pragma once

#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/tracked_table.hpp>
#include <pgq/driver/memory/waiting_jobs.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// The jobs on the shelf together with what the book knows of the tracked ones: here the ends of jobs have their
/// consequences. `touched` collects lanes of which a sleeper has to be woken.
class stock : public shelf {
public:
    track_book& book() noexcept { return book_; }

    /// The job has ended. Whoever held it has let go of it already.
    void end(const job& j, end_kind how, time_point now, std::vector<lane_id>& touched, std::string_view reason = {},
             std::optional<std::string_view> result = {}) {
        if ((j.flags & flag_tracked) == 0) return;
        ended_job e{.id = j.id, .kind = how, .attempts = j.attempts, .reason = std::string{reason}};
        e.has_result = result.has_value();
        e.result = result.value_or(std::string_view{});
        carry_out(book_.end(std::move(e), now), now, touched);
    }
    /// A worker says what becomes of its job.
    void settle(job j, const settlement& s, time_point now, std::vector<lane_id>& touched) {
        if (s.kind == settle_kind::release) uncount(j);
        if ((s.kind == settle_kind::retry || s.kind == settle_kind::hold) && !s.reason.empty())
            failures_[j.id].push_back({.attempt = j.attempts, .at = now, .reason = std::string{s.reason}});
        if (s.kind == settle_kind::done) return end(j, end_kind::done, now, touched, s.reason, s.result);
        if (s.kind == settle_kind::discard) return end(j, end_kind::discarded, now, touched, s.reason, s.result);
        if (s.kind == settle_kind::hold) {
            keep(j, s.reason, touched);
            return end(j, end_kind::held, now, touched, s.reason, s.result);
        }
        if (is_asked_to_stop(j)) return end(j, end_kind::cancelled, now, touched, s.reason, s.result);
        touched.push_back(j.lane);
        if (s.delay <= duration::zero()) return put(std::move(j));
        defer(alone(j), shifted(now, std::chrono::ceil<std::chrono::microseconds>(s.delay)));
    }
    /// The attempt does not count: nobody began it, or it ends with the worker's own consent.
    void give_back(job j, time_point now, std::vector<lane_id>& touched) {
        uncount(j);
        touched.push_back(j.lane);
        is_asked_to_stop(j) ? end(j, end_kind::cancelled, now, touched) : put(std::move(j));
    }
    /// The attempt counts: any job of a worker that died may be what killed it. Tells what became of the job.
    settle_kind rescue(job j, std::int16_t max_attempts, time_point now, std::vector<lane_id>& touched) {
        touched.push_back(j.lane);  // its limits have room now
        if (is_asked_to_stop(j)) return end(j, end_kind::cancelled, now, touched), settle_kind::discard;
        if (j.attempts < max_attempts) return put(std::move(j)), settle_kind::retry;
        failures_[j.id].push_back({.attempt = j.attempts, .at = now, .reason = "its worker died"});
        keep(j, "its worker died", touched);
        end(j, end_kind::held, now, touched, "its worker died");
        return settle_kind::hold;
    }

    /// `ids` are sorted. How many there were.
    std::int64_t cancel(std::span<const job_id> ids, time_point now, std::vector<lane_id>& touched) {
        const auto gone = pull(ids);
        for (const job& j : gone) book_.cut(j.id);
        for (const job& j : gone) end(j, end_kind::cancelled, now, touched);
        return static_cast<std::int64_t>(gone.size());
    }
    /// Held jobs start over. `ids` are sorted.
    std::int64_t requeue(std::span<const job_id> ids, time_point now, std::vector<lane_id>& touched) {
        std::int64_t n = 0;
        for (const job_id id : ids) {
            if (!is_held(id) || !book_.start_over(id, now)) continue;
            job j = *take_held(id);
            j.attempts = 0;
            touched.push_back(j.lane);
            put(std::move(j));
            ++n;
        }
        return n;
    }
    sweep_reply sweep(time_point now, std::vector<lane_id>& touched) {
        sweep_reply reply;
        const auto late = book_.late(now);
        const auto gone = pull(late);
        for (const job& j : gone) book_.cut(j.id);
        for (const job_id id : late) book_.find(id)->expires_at.reset();  // those that run have begun in time
        for (const job& j : gone) {
            const tracked_job* const known = book_.find(j.id);
            const bool holds = known != nullptr && known->if_expired == on_expiry::hold;
            if (holds) keep(j, "it expired", touched);
            end(j, holds ? end_kind::held : end_kind::expired, now, touched, "it expired");
        }
        reply.expired = static_cast<std::int64_t>(gone.size());
        reply.forgotten = book_.forget(now);
        return reply;
    }

    /// How many blocked jobs have become claimable since the last call.
    std::uint32_t take_begun() noexcept { return std::exchange(begun_, 0); }

    std::vector<failed_attempt> failures(job_id id) const {
        const auto found = failures_.find(id);
        return found == failures_.end() ? std::vector<failed_attempt>{} : found->second;
    }
    /// Jobs that would be held go there; with nothing they are held.
    void bury(lane_id lane, std::optional<lane_id> in, std::string queue) {
        book_.bury(lane, in.has_value());
        if (in) graves_.insert_or_assign(lane, grave{*in, std::move(queue)});
        else graves_.erase(lane);
    }

    /// How the job ended, when it has.
    std::optional<ended_job> ended(job_id id) {
        if (const ended_job* const how = book_.outcome(id)) return *how;
        const tracked_job* const known = book_.find(id);
        if (known == nullptr) return ended_job{.id = id};
        if (!known->held) return std::nullopt;
        ended_job e{.id = id, .kind = end_kind::held};
        if (const auto why = held_because(id)) e.attempts = why->first, e.reason = why->second;
        return e;
    }

    /// What the ends of other jobs mean for those that waited for them.
    void carry_out(const std::vector<verdict>& verdicts, time_point now, std::vector<lane_id>& touched) {
        for (const verdict& v : verdicts) {
            auto j = unblock(v.id);
            if (!j || v.what == verdict::kind::cancel) continue;
            if (v.what == verdict::kind::hold) {
                keep(*j, v.reason, touched);
                continue;
            }
            touched.push_back(j->lane);
            ++begun_;
            if (v.run_at && *v.run_at > now) defer(std::move(*j), *v.run_at);
            else put(std::move(*j));
        }
    }

private:
    static bool is_asked_to_stop(const job& j) noexcept { return (j.flags & flag_stop) != 0; }
    static void uncount(job& j) noexcept {
        if (j.attempts > 0) --j.attempts;
    }
    /// Held, and no more to be stopped; or where its lane's dead letters go.
    void keep(const job& j, std::string_view reason, std::vector<lane_id>& touched) {
        const auto found = graves_.find(j.lane);
        if (found == graves_.end()) {
            job copy = alone(j);
            copy.flags = static_cast<std::int16_t>(copy.flags & flag_tracked);
            return hold(std::move(copy), reason);
        }
        const std::string attempts = std::to_string(j.attempts);
        std::vector<header> headers{j.headers.begin(), j.headers.end()};
        std::erase_if(headers, [](const header& h) {
            return h.name == "pgq-died-in" || h.name == "pgq-died-of" || h.name == "pgq-attempts";
        });
        headers.insert(headers.end(),
                       {{"pgq-died-in", found->second.died_in}, {"pgq-died-of", reason}, {"pgq-attempts", attempts}});
        job copy = j;
        copy.headers = headers;
        copy = alone(copy);
        copy.lane = found->second.lane;
        copy.attempts = copy.flags = 0;
        touched.push_back(copy.lane);
        put(std::move(copy));
    }

    struct grave {
        lane_id lane{};
        std::string died_in{};  ///< the queue that the dead came from
    };

    std::map<lane_id, grave> graves_{};
    std::map<job_id, std::vector<failed_attempt>> failures_{};
    track_book book_{};
    std::uint32_t begun_ = 0;
};

}  // namespace pgq::driver::in_memory
