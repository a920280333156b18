#pragma once

#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/waiter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/rank.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// What is known of a tracked job that has not ended, or is held.
struct tracked_job {
    lane_id lane{};
    pgq::rank rank{};
    bool held = false;
    std::string key{};  ///< its unique key, with the names of its queue and entrypoint; empty: none
    parent_failure if_failed = parent_failure::hold;
    std::optional<time_point> run_at{};
    std::optional<time_point> expires_at{};
    on_expiry if_expired = on_expiry::drop;
    std::optional<duration> keep{};  ///< none: nobody has asked for its outcome
    std::optional<std::string> progress{};
    std::set<job_id> parents{};  ///< the track_book's own, as is the rest
    std::set<job_id> children{};
    std::vector<std::weak_ptr<waiter>> waiters{};
};

/// Who has a unique key.
struct key_holder {
    job_id job{};
    unique_scope scope = unique_scope::until_finished;
    std::optional<time_point> until{};

    bool has_it(time_point now) const noexcept { return !until || *until > now; }
};

/// How a job that a child waits for stands.
enum class parent_state : std::uint8_t { open, succeeded, failed };

/// What is to be done with a blocked job.
struct verdict {
    enum class kind : std::uint8_t { begin, hold, cancel };

    job_id id{};
    kind what = kind::begin;
    std::optional<time_point> run_at{};  ///< begin, but not before
    std::string reason{};
};

/// The tracked jobs, their unique keys, what waits for what, and how they ended. It moves no job: what is to become of
/// blocked ones is its answer to the end of another.
class track_book {
public:
    bool knows(job_id id) const { return jobs_.contains(id) || outcomes_.contains(id); }
    /// Null when it is not tracked, or has ended otherwise than held.
    tracked_job* find(job_id id) {
        const auto found = jobs_.find(id);
        return found == jobs_.end() ? nullptr : &found->second;
    }
    void add(job_id id, tracked_job j) { jobs_.insert_or_assign(id, std::move(j)); }

    parent_state state_of(job_id parent) const {
        if (const auto found = jobs_.find(parent); found != jobs_.end())
            return found->second.held ? parent_state::failed : parent_state::open;
        const auto ended = outcomes_.find(parent);
        const bool failed = ended != outcomes_.end() && ended->second.what.kind != end_kind::done;
        return failed ? parent_state::failed : parent_state::succeeded;
    }
    /// Both are tracked, and the parent is open.
    void make_wait(job_id child, job_id parent) {
        jobs_.at(child).parents.insert(parent);
        jobs_.at(parent).children.insert(child);
    }
    /// The child waits for nothing any more; what is to become of it is the caller's to say.
    void cut(job_id child) {
        tracked_job* const j = find(child);
        if (j == nullptr) return;
        for (const job_id parent : j->parents) jobs_.at(parent).children.erase(child);
        j->parents.clear();
    }

    /// The job has ended: waiters are told, its key is free, children begin or fail, and theirs with them. Nothing
    /// for a job that is not tracked.
    std::vector<verdict> end(ended_job how, time_point now) {
        std::vector<verdict> out;
        std::deque<ended_job> ends;
        ends.push_back(std::move(how));
        for (; !ends.empty(); ends.pop_front()) {
            const auto found = jobs_.find(ends.front().id);
            if (found == jobs_.end()) continue;
            const auto children = std::exchange(found->second.children, {});
            for (const job_id child : children) release(child, ends.front(), out, ends);
            conclude(found, std::move(ends.front()), now);
        }
        return out;
    }
    /// A blocked job never begins, because `parent` had not succeeded before it was enqueued.
    std::vector<verdict> fail(job_id child, job_id parent, time_point now) {
        std::vector<verdict> out;
        const std::string why = because_of(parent) + "had not succeeded";
        const end_kind kind = give_up(child, why, out);
        for (auto& v : end({.id = child, .kind = kind, .reason = why}, now)) out.push_back(std::move(v));
        return out;
    }

    /// Whether jobs of that lane that would be held go elsewhere.
    void bury(lane_id lane, bool elsewhere) { elsewhere ? void(buries_.insert(lane)) : void(buries_.erase(lane)); }

    /// Null when the key is free.
    const key_holder* holder(const std::string& key, time_point now) const {
        const auto found = keys_.find(key);
        return found == keys_.end() || !found->second.has_it(now) ? nullptr : &found->second;
    }
    void take_key(const std::string& key, key_holder by) { keys_[key] = by; }

    /// The waiter is told when the job ends. Not of held jobs.
    void watch(job_id id, duration keep, const std::shared_ptr<waiter>& here) {
        tracked_job& j = jobs_.at(id);
        j.keep = std::max(j.keep.value_or(keep), keep);
        const auto same = [&](const std::weak_ptr<waiter>& w) { return w.expired() || w.lock() == here; };
        std::erase_if(j.waiters, same);
        j.waiters.push_back(here);
    }
    const ended_job* outcome(job_id id) const {
        const auto found = outcomes_.find(id);
        return found == outcomes_.end() ? nullptr : &found->second.what;
    }

    /// False when a held job cannot start over, because another has its unique key by now.
    bool start_over(job_id id, time_point now) {
        tracked_job* const j = find(id);
        if (j != nullptr && !j->key.empty()) {
            const key_holder* const other = holder(j->key, now);
            if (other != nullptr && other->job != id) return false;
            if (other == nullptr) take_key(j->key, {.job = id});
        }
        if (j != nullptr) j->held = false, j->expires_at.reset();
        outcomes_.erase(id);
        return true;
    }
    /// A job that was told to be done turned out to be held.
    void retell(job_id id, std::string_view reason) {
        const auto found = outcomes_.find(id);
        if (found == outcomes_.end()) return;
        found->second.what.kind = end_kind::held;
        found->second.what.reason = reason;
        found->second.keep_until = time_point::max();
    }

    /// Those whose time is over; some may be running. Ordered.
    std::vector<job_id> late(time_point now) const {
        std::vector<job_id> out;
        for (const auto& [id, j] : jobs_)
            if (!j.held && j.expires_at && *j.expires_at <= now) out.push_back(id);
        return out;
    }
    /// Drops outcomes and keys whose time is over; how many.
    std::int64_t forget(time_point now) {
        auto n = std::erase_if(outcomes_, [&](const auto& o) { return o.second.keep_until <= now; });
        n += std::erase_if(keys_, [&](const auto& k) { return !k.second.has_it(now); });
        return static_cast<std::int64_t>(n);
    }

private:
    struct kept_outcome {
        ended_job what{};
        time_point keep_until{};
    };
    using job_map = std::map<job_id, tracked_job>;

    static std::string because_of(job_id parent) {
        return "it waited for job " + std::to_string(parent.value) + ", which ";
    }
    static const char* fate_of(end_kind k) noexcept {
        switch (k) {
        case end_kind::held: return "failed for good";
        case end_kind::cancelled: return "was cancelled";
        case end_kind::expired: return "expired";
        default: return "was discarded";
        }
    }

    /// One of the jobs that it waited for has ended.
    void release(job_id child, const ended_job& parent, std::vector<verdict>& out, std::deque<ended_job>& ends) {
        tracked_job& j = jobs_.at(child);
        j.parents.erase(parent.id);
        if (parent.kind != end_kind::done && j.if_failed != parent_failure::run) {
            std::string why = because_of(parent.id) + fate_of(parent.kind);
            const end_kind kind = give_up(child, why, out);
            ends.push_back({.id = child, .kind = kind, .reason = std::move(why)});
        } else if (j.parents.empty()) {
            out.push_back({.id = child, .run_at = j.run_at});
        }
    }
    end_kind give_up(job_id child, const std::string& why, std::vector<verdict>& out) {
        const bool holds = jobs_.at(child).if_failed == parent_failure::hold;
        cut(child);
        out.push_back({.id = child, .what = holds ? verdict::kind::hold : verdict::kind::cancel, .reason = why});
        return holds ? end_kind::held : end_kind::cancelled;
    }
    void conclude(job_map::iterator at, ended_job how, time_point now) {
        tracked_job& j = at->second;
        if (const auto key = keys_.find(j.key); key != keys_.end())
            if (key->second.job == at->first && !key->second.until) keys_.erase(key);
        for (const auto& w : j.waiters)
            if (const auto there = w.lock()) there->tell_news();
        const bool held = how.kind == end_kind::held && !buries_.contains(j.lane);
        if (j.keep) {
            const auto keep = std::chrono::ceil<std::chrono::microseconds>(*j.keep);
            const time_point until = held ? time_point::max() : shifted(now, keep);
            outcomes_.insert_or_assign(at->first, kept_outcome{.what = std::move(how), .keep_until = until});
        }
        cut(at->first);
        if (held) j.held = true;
        else jobs_.erase(at);
    }

    job_map jobs_{};
    std::map<std::string, key_holder> keys_{};
    std::set<lane_id> buries_{};
    std::map<job_id, kept_outcome> outcomes_{};
};

}  // namespace pgq::driver::in_memory
