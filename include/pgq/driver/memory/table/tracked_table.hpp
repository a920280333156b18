#pragma once

#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/tracked_job.hpp>
#include <pgq/driver/memory/table/waiter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/tracked.hpp>
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

/// The tracked jobs: their unique keys, their dependencies and their outcomes. This table moves no job. When a job
/// ends, it returns what the caller must do with the blocked jobs.
class tracked_table {
public:
    /// Whether the job is tracked or has a stored outcome.
    bool contains(job_id id) const { return jobs_.contains(id) || outcomes_.contains(id); }
    /// Null if the job is not tracked, or has ended and is not held.
    tracked_job* find(job_id id) {
        const auto found = jobs_.find(id);
        return found == jobs_.end() ? nullptr : &found->second;
    }
    void add(job_id id, tracked_job j) {
        if (j.expires_at) expiries_.insert({*j.expires_at, id});
        jobs_.insert_or_assign(id, std::move(j));
    }

    /// A job without a stored outcome counts as succeeded.
    parent_state state_of(job_id parent) const {
        if (const auto found = jobs_.find(parent); found != jobs_.end())
            return found->second.held ? parent_state::failed : parent_state::open;
        const auto ended = outcomes_.find(parent);
        const bool failed = ended != outcomes_.end() && ended->second.what.kind != end_kind::done;
        return failed ? parent_state::failed : parent_state::succeeded;
    }
    /// Both jobs must be tracked, and the parent must be open.
    void add_dependency(job_id child, job_id parent) {
        jobs_.at(child).parents.insert(parent);
        jobs_.at(parent).children.insert(child);
    }
    /// The job no longer depends on any other. The caller decides what to do with it.
    void remove_parents(job_id child) {
        tracked_job* const j = find(child);
        if (j == nullptr) return;
        for (const job_id parent : j->parents) jobs_.at(parent).children.erase(child);
        j->parents.clear();
    }

    /// The job has ended. Notifies its waiters and frees its unique key. Its children begin or fail, and so do the
    /// children of those that fail. Does nothing if the job is not tracked.
    std::vector<unblock_action> end(ended_job how, time_point now) {
        std::vector<unblock_action> out;
        std::deque<ended_job> ends;
        ends.push_back(std::move(how));
        for (; !ends.empty(); ends.pop_front()) {
            const auto found = jobs_.find(ends.front().id);
            if (found == jobs_.end()) continue;
            const auto children = std::exchange(found->second.children, {});
            for (const job_id child : children) update_child(child, ends.front(), out, ends);
            store_end(found, std::move(ends.front()), now);
        }
        return out;
    }
    /// A blocked job never begins, because `parent` had already failed when the job was enqueued.
    std::vector<unblock_action> fail_blocked(job_id child, job_id parent, time_point now) {
        std::vector<unblock_action> out;
        const std::string why = reason_prefix(parent) + "had not succeeded";
        const end_kind kind = hold_or_cancel(child, why, out);
        for (auto& action : end({.id = child, .kind = kind, .reason = why}, now)) out.push_back(std::move(action));
        return out;
    }

    /// Whether jobs of the lane go to another lane instead of being held.
    void set_dead_letter_route(lane_id lane, bool has_route) {
        if (has_route) routed_lanes_.insert(lane);
        else routed_lanes_.erase(lane);
    }

    /// The job has gone to another lane.
    void change_lane(job_id id, lane_id to) {
        if (tracked_job* const j = find(id)) j->lane = to;
        if (const auto found = outcomes_.find(id); found != outcomes_.end()) found->second.lane = to;
    }

    /// Null if the key is free.
    const key_holder* find_holder(const std::string& key, time_point now) const {
        const auto found = keys_.find(key);
        return found == keys_.end() || !found->second.is_valid(now) ? nullptr : &found->second;
    }
    void set_holder(const std::string& key, key_holder holder) { keys_[key] = holder; }

    /// The answer of a call with a request id; null if none is remembered.
    const std::vector<enqueued_job>* find_request(const std::string& name, time_point now) const {
        const auto found = requests_.find(name);
        return found == requests_.end() || found->second.until <= now ? nullptr : &found->second.jobs;
    }
    void set_request(const std::string& name, std::vector<enqueued_job> jobs, time_point until) {
        requests_[name] = {std::move(jobs), until};
    }

    /// Notifies `session` when the job ends. The job must be tracked and not held. The outcome is kept for at least
    /// `keep`.
    void watch(job_id id, duration keep, const std::shared_ptr<waiter>& session) {
        tracked_job& j = jobs_.at(id);
        j.keep_outcome = std::max(j.keep_outcome.value_or(keep), keep);
        const auto same = [&](const std::weak_ptr<waiter>& w) { return w.expired() || w.lock() == session; };
        std::erase_if(j.waiters, same);
        j.waiters.push_back(session);
    }
    /// The lane of a job whose outcome is stored.
    lane_id lane_of_outcome(job_id id) const { return outcomes_.at(id).lane; }
    const ended_job* outcome(job_id id) const {
        const auto found = outcomes_.find(id);
        return found == outcomes_.end() ? nullptr : &found->second.what;
    }

    /// A held job becomes open again. Returns false, and changes nothing, if another job has its unique key now.
    bool restart(job_id id, time_point now) {
        tracked_job* const j = find(id);
        if (j != nullptr && !j->key.empty()) {
            const key_holder* const other = find_holder(j->key, now);
            if (other != nullptr && other->job != id) return false;
            if (other == nullptr) set_holder(j->key, {.job = id});
        }
        if (j != nullptr) j->held = false, clear_expiry(id);
        outcomes_.erase(id);
        return true;
    }
    /// Changes the stored outcome of a job from done to held.
    void change_to_held(job_id id, std::string_view reason) {
        const auto found = outcomes_.find(id);
        if (found == outcomes_.end()) return;
        found->second.what.kind = end_kind::held;
        found->second.what.reason = reason;
        found->second.keep_until = time_point::max();
    }

    /// The open jobs whose `expires_at` has passed, sorted by id. Some of them may be leased. They are not returned
    /// again before watch_expiry().
    std::vector<job_id> take_expired(time_point now) {
        std::vector<job_id> out;
        for (; !expiries_.empty() && expiries_.begin()->first <= now; expiries_.erase(expiries_.begin()))
            if (const auto at = jobs_.find(expiries_.begin()->second); at != jobs_.end() && !at->second.held)
                out.push_back(at->first);
        std::sort(out.begin(), out.end());
        return out;
    }
    /// The job waits again and has not begun.
    void watch_expiry(job_id id) {
        const tracked_job* const j = find(id);
        if (j != nullptr && j->expires_at) expiries_.insert({*j->expires_at, id});
    }
    /// The job has begun, or was requeued: it does not expire.
    void clear_expiry(job_id id) {
        tracked_job* const j = find(id);
        if (j == nullptr || !j->expires_at) return;
        expiries_.erase({*j->expires_at, id});
        j->expires_at.reset();
    }
    std::optional<time_point> expiry_of(job_id id) {
        const tracked_job* const j = find(id);
        return j == nullptr ? std::nullopt : j->expires_at;
    }
    /// When the next job expires; none if none does.
    std::optional<time_point> next_expiry() const {
        return expiries_.empty() ? std::nullopt : std::optional{expiries_.begin()->first};
    }
    /// Removes the outcomes, keys and request ids whose time has passed. Returns how many there were.
    std::int64_t purge(time_point now) {
        auto n = std::erase_if(outcomes_, [&](const auto& o) { return o.second.keep_until <= now; });
        n += std::erase_if(requests_, [&](const auto& r) { return r.second.until <= now; });
        n += std::erase_if(keys_, [&](const auto& k) { return !k.second.is_valid(now); });
        return static_cast<std::int64_t>(n);
    }

private:
    struct stored_outcome {
        ended_job what{};
        lane_id lane{};
        time_point keep_until{};
    };
    struct stored_request {
        std::vector<enqueued_job> jobs{};
        time_point until{};
    };
    using job_map = std::map<job_id, tracked_job>;

    static std::string reason_prefix(job_id parent) {
        return "it waited for job " + std::to_string(parent.value) + ", which ";
    }
    static const char* verb_of(end_kind k) noexcept {
        switch (k) {
        case end_kind::held: return "failed for good";
        case end_kind::cancelled: return "was cancelled";
        case end_kind::expired: return "expired";
        default: return "was discarded";
        }
    }

    /// One of the child's parents has ended.
    void update_child(job_id child, const ended_job& parent, std::vector<unblock_action>& out,
                      std::deque<ended_job>& ends) {
        tracked_job& j = jobs_.at(child);
        j.parents.erase(parent.id);
        if (parent.kind != end_kind::done && j.if_parent_fails != parent_failure::run) {
            std::string why = reason_prefix(parent.id) + verb_of(parent.kind);
            const end_kind kind = hold_or_cancel(child, why, out);
            ends.push_back({.id = child, .kind = kind, .reason = std::move(why)});
        } else if (j.parents.empty()) {
            out.push_back({.id = child, .run_at = j.run_at});
        }
    }
    end_kind hold_or_cancel(job_id child, const std::string& why, std::vector<unblock_action>& out) {
        const bool hold = jobs_.at(child).if_parent_fails == parent_failure::hold;
        const auto what = hold ? unblock_action::kind::hold : unblock_action::kind::cancel;
        remove_parents(child);
        out.push_back({.id = child, .what = what, .reason = why});
        return hold ? end_kind::held : end_kind::cancelled;
    }
    void store_end(job_map::iterator at, ended_job how, time_point now) {
        tracked_job& j = at->second;
        if (const auto key = keys_.find(j.key); key != keys_.end())
            if (key->second.job == at->first && !key->second.until) keys_.erase(key);
        for (const auto& w : j.waiters)
            if (const auto session = w.lock()) session->notify_job_changed();
        const bool held = how.kind == end_kind::held && !routed_lanes_.contains(j.lane);
        if (j.keep_outcome) {
            const auto keep = std::chrono::ceil<std::chrono::microseconds>(*j.keep_outcome);
            const time_point until = held ? time_point::max() : add_saturated(now, keep);
            outcomes_.insert_or_assign(at->first,
                                       stored_outcome{.what = std::move(how), .lane = j.lane, .keep_until = until});
        }
        remove_parents(at->first);
        if (j.expires_at) expiries_.erase({*j.expires_at, at->first});
        if (held) j.held = true;
        else jobs_.erase(at);
    }

    job_map jobs_{};
    std::set<std::pair<time_point, job_id>> expiries_{};  // of the open jobs, unless they were leased at that time
    std::map<std::string, key_holder> keys_{};
    std::set<lane_id> routed_lanes_{};
    std::map<job_id, stored_outcome> outcomes_{};
    std::map<std::string, stored_request> requests_{};
};

}  // namespace pgq::driver::in_memory
