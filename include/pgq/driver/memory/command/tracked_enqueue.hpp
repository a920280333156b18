#pragma once

#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/job_store.hpp>
#include <pgq/driver/memory/table/tracked_job.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// Checks what can be wrong with the request alone.
inline result<void> check(const tracked_request& r) {
    const std::size_t n = r.bodies ? r.bodies->size() : 0;
    if (n > 0 && r.lanes.size() != 1 && r.lanes.size() != n)
        return error_info{errc::invalid_option, "there must be one lane for all jobs or one for each"};
    if (n > 0 && r.options.size() != 1 && r.options.size() != n)
        return error_info{errc::invalid_option, "there must be one set of options for all jobs or one for each"};
    if (r.has_keys() && r.keys->size() != n)
        return error_info{errc::invalid_option, "there must be one limit key for each job or none at all"};
    for (const edge& e : r.edges)
        if (e.child >= n || e.parent >= n || e.child == e.parent)
            return error_info{errc::invalid_option, "a job cannot wait for itself or for one that is not in the call"};
    for (const enqueue_options& o : r.options) {
        if (auto ok = check_headers(o.headers); !ok) return ok;
        if (auto ok = check_unique(o.unique_key); !ok) return ok;
    }
    return {};
}

/// One call that enqueues tracked jobs. `plan` gives each job an id and changes nothing in the store. `perform` then
/// stores the jobs and cannot fail.
class tracked_enqueue {
public:
    /// `names`: for each job with a unique key, the queue and the entrypoint in one text; otherwise empty.
    tracked_enqueue(job_store& store, const tracked_request& r, std::vector<std::string> names, time_point now)
        : store_{store}, r_{r}, now_{now}, keys_{std::move(names)} {
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            const unique& u = r_.option(i).unique_key;
            if (u.is_set()) keys_[i].append(1, '\0').append(u.key());
            else keys_[i].clear();
        }
    }

    /// Each job gets a new id, or the id of the job that already has its unique key.
    result<void> plan(std::int64_t& last_job_id) {
        const std::size_t n = keys_.size();
        jobs_.clear();
        for (std::size_t i = 0; i < n; ++i) jobs_.push_back({.id = {++last_job_id}});
        body_of_.resize(n);
        std::iota(body_of_.begin(), body_of_.end(), std::size_t{0});
        time_of_ = body_of_;
        for (std::size_t i = 0; i < n; ++i)
            if (!keys_[i].empty())
                if (auto ok = plan_key(i); !ok) return ok;
        return {};
    }

    /// Parents that have not ended must be tracked already.
    void perform() {
        for (auto& [key, holder] : new_holders_) store_.tracked().set_holder(key, holder);
        for (const auto& replaced : replacements_) replace(replaced);
        link_parents();
        store();
        for (const auto& [i, parent] : failed_parent_)
            store_.apply(store_.tracked().fail_blocked(jobs_[i].id, parent, now_), now_);
    }
    const std::vector<enqueued_job>& jobs() const noexcept { return jobs_; }

private:
    /// A waiting job `other` gets the payload of job number `by`, and its time too if `reschedules`.
    struct replacement {
        job_id other{};
        std::size_t by = 0;
        bool reschedules = false;
    };

    result<void> plan_key(std::size_t i) {
        const unique& u = r_.option(i).unique_key;
        const auto in_call = new_holders_.find(keys_[i]);
        const bool call_has_it = in_call != new_holders_.end() && in_call->second.is_valid(now_);
        const key_holder* const other = call_has_it ? &in_call->second : store_.tracked().find_holder(keys_[i], now_);
        if (other == nullptr || (!call_has_it && may_take_over(*other, u.then()))) return take_key(i), result<void>{};
        if (u.then() == on_duplicate::fail)
            return error_info{errc::duplicate_key,
                              "a job with the unique key \"" + std::string{u.key()} + "\" is there already"};
        jobs_[i] = {.id = other->job, .is_new = false};
        if (u.then() == on_duplicate::skip) return {};
        const bool reschedules = u.then() == on_duplicate::debounce;
        if (!call_has_it) {
            replacements_.push_back({.other = other->job, .by = i, .reschedules = reschedules});
            return {};
        }
        const auto first = static_cast<std::size_t>(
            std::find(jobs_.begin(), jobs_.end(), enqueued_job{.id = other->job}) - jobs_.begin());
        body_of_[first] = i;
        if (reschedules) time_of_[first] = i;
        return {};
    }
    /// Whether a new job may take the key from `other`, because `other` runs: its key holds only while it waits, or the
    /// new job wants to replace it and it is too late for that.
    bool may_take_over(const key_holder& other, on_duplicate then) {
        const bool replaces = then == on_duplicate::replace || then == on_duplicate::debounce;
        return (other.scope == unique_scope::while_waiting || replaces) && !is_waiting(other.job);
    }
    bool is_waiting(job_id id) {
        const tracked_job* const known = store_.tracked().find(id);
        return known != nullptr && !known->held && store_.is_waiting(known->lane, known->rank, id);
    }
    void take_key(std::size_t i) {
        const unique& u = r_.option(i).unique_key;
        key_holder holder{.job = jobs_[i].id, .scope = u.scope()};
        if (u.scope() == unique_scope::period)
            holder.until = add_saturated(now_, std::chrono::floor<std::chrono::microseconds>(u.period()));
        new_holders_[keys_[i]] = holder;
    }

    void replace(const replacement& c) {
        tracked_job* const other = store_.tracked().find(c.other);
        store_.replace_body(other->lane, other->rank, c.other, (*r_.bodies)[c.by]);
        if (!c.reschedules) return;
        other->run_at = time_of(r_.option(c.by).run_at);
        store_.touch(other->lane);
        store_.reschedule(other->lane, other->rank, c.other, other->run_at.value_or(now_), now_);
    }

    /// Finds out which jobs must wait for which parents, and which have a parent that has already failed.
    void link_parents() {
        const auto link = [&](std::size_t child, job_id parent, bool in_call) {
            if (!jobs_[child].is_new || parent == jobs_[child].id) return;
            linked_.insert(child);
            const auto state = in_call ? parent_state::open : store_.tracked().state_of(parent);
            if (state == parent_state::open) open_parents_[child].insert(parent);
            else if (state == parent_state::failed && r_.option(child).if_parent_fails != parent_failure::run)
                failed_parent_.insert_or_assign(child, parent);
        };
        std::set<job_id> fresh;
        for (const enqueued_job& j : jobs_)
            if (j.is_new) fresh.insert(j.id);
        for (std::size_t i = 0; i < jobs_.size(); ++i)
            for (const job_id parent : r_.option(i).after) link(i, parent, false);
        for (const edge& e : r_.edges) {
            linked_.insert(e.parent);
            link(e.child, jobs_[e.parent].id, fresh.contains(jobs_[e.parent].id));
        }
    }

    void store() {
        const auto bytes = copy_bytes({.bodies = r_.bodies, .options = r_.options, .keys = r_.keys});
        std::span<const header> headers{bytes->headers};
        for (std::size_t i = 0; i < jobs_.size(); ++i) {
            const enqueue_options& o = r_.option(i);
            if (i > 0 && r_.options.size() > 1) headers = headers.subspan(r_.option(i - 1).headers.size());
            if (!jobs_[i].is_new) continue;
            job j = new_job(jobs_[i].id, o, now_);
            j.lane = r_.lane(i);
            j.body = bytes->bodies[body_of_[i]];
            j.headers = headers.first(o.headers.size());
            if (r_.key(i)) j.key = bytes->keys[i];
            j.owner = bytes;
            const auto due = time_of(r_.option(time_of_[i]).run_at);
            track(i, j, due);
            if (open_parents_.contains(i) || failed_parent_.contains(i)) {
                store_.block(std::move(j));
                continue;
            }
            store_.touch(j.lane);
            if (due && *due > now_) store_.defer(std::move(j), *due);
            else store_.add_ready(std::move(j));
        }
        for (const auto& [i, parents] : open_parents_)
            for (const job_id parent : parents) store_.tracked().add_dependency(jobs_[i].id, parent);
    }
    /// Adds the job to the tracked table if its options or its dependencies need that.
    void track(std::size_t i, job& j, std::optional<time_point> due) {
        const enqueue_options& o = r_.option(i);
        if (!o.is_tracked() && !linked_.contains(i)) return;
        j.flags = flag_tracked;
        tracked_job t{.lane = j.lane, .rank = j.rank, .key = keys_[i], .if_parent_fails = o.if_parent_fails};
        t.run_at = due;
        t.expires_at = time_of(o.expires_at);
        t.if_expired = o.if_expired;
        if (o.keep_outcome > duration{}) t.keep_outcome = o.keep_outcome;
        store_.tracked().add(j.id, std::move(t));
    }
    std::optional<time_point> time_of(const when& w) const {
        return w.is_set() ? std::optional{resolve(w, now_)} : std::nullopt;
    }

    job_store& store_;
    const tracked_request& r_;
    time_point now_;
    std::vector<std::string> keys_;  // one for each job; empty if it has no unique key
    std::vector<enqueued_job> jobs_{};
    std::vector<std::size_t> body_of_{}, time_of_{};  // the number of the job whose payload (time) each job gets
    std::map<std::string, key_holder> new_holders_{};
    std::vector<replacement> replacements_{};
    std::set<std::size_t> linked_{};  // jobs with a parent or a child
    std::map<std::size_t, std::set<job_id>> open_parents_{};
    std::map<std::size_t, job_id> failed_parent_{};
};

}  // namespace pgq::driver::in_memory
