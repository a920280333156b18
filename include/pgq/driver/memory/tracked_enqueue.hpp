#pragma once

#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/driver/memory/tracked_table.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/job/unique.hpp>
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

/// What can be wrong with the request alone.
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
        if (auto fine = check_headers(o.headers); !fine) return fine;
        if (auto fine = check_unique(o.unique_key); !fine) return fine;
    }
    return {};
}

/// One enqueue of tracked jobs: `plan` says who gets which id and changes nothing, `perform` does it.
class tracked_enqueue {
public:
    /// `names`: queue and entrypoint of each job, as one text that tells them apart; only for jobs with a unique key.
    tracked_enqueue(stock& s, const tracked_request& r, std::vector<std::string> names, time_point now)
        : stock_{s}, r_{r}, now_{now}, keys_{std::move(names)} {
        for (std::size_t i = 0; i < keys_.size(); ++i) {
            const unique& u = r_.option(i).unique_key;
            if (u.is_set()) keys_[i].append(1, '\0').append(u.key());
            else keys_[i].clear();
        }
    }

    /// Gives every job an id, its own or that of the one that has its unique key.
    result<void> plan(std::int64_t& last_job) {
        const std::size_t n = keys_.size();
        made_.clear();
        for (std::size_t i = 0; i < n; ++i) made_.push_back({.id = {++last_job}});
        final_.resize(n);
        std::iota(final_.begin(), final_.end(), std::size_t{0});
        timed_by_ = final_;
        for (std::size_t i = 0; i < n; ++i)
            if (!keys_[i].empty())
                if (auto fine = plan_key(i); !fine) return fine;
        return {};
    }

    /// Afterwards `made()` is true. Parents that live are tracked already.
    void perform(std::vector<lane_id>& touched) {
        for (auto& [key, holder] : taken_) stock_.book().take_key(key, holder);
        for (const auto& c : changes_) replace(c, touched);
        link();
        store(touched);
        for (const auto& [i, parent] : failed_)
            stock_.carry_out(stock_.book().fail(made_[i].id, parent, now_), now_, touched);
    }
    const std::vector<enqueued_job>& made() const noexcept { return made_; }

private:
    /// Another job, which waits, gets body and perhaps time of job number `by`.
    struct replacement {
        job_id other{};
        std::size_t by = 0;
        bool moves = false;
    };

    result<void> plan_key(std::size_t i) {
        const unique& u = r_.option(i).unique_key;
        const auto mine = taken_.find(keys_[i]);
        const key_holder* const other =
            mine != taken_.end() && mine->second.has_it(now_) ? &mine->second : stock_.book().holder(keys_[i], now_);
        const bool here = other != nullptr && mine != taken_.end() && other == &mine->second;
        if (other == nullptr || (!here && gives_way(*other, u.then()))) return take(i), result<void>{};
        if (u.then() == on_duplicate::fail)
            return error_info{errc::duplicate_key,
                              "a job with the unique key \"" + std::string{u.key()} + "\" is there already"};
        made_[i] = {.id = other->job, .fresh = false};
        if (u.then() == on_duplicate::skip) return {};
        const bool moves = u.then() == on_duplicate::debounce;
        if (!here) return changes_.push_back({.other = other->job, .by = i, .moves = moves}), result<void>{};
        const auto first = static_cast<std::size_t>(
            std::find(made_.begin(), made_.end(), enqueued_job{.id = other->job}) - made_.begin());
        final_[first] = i;
        if (moves) timed_by_[first] = i;
        return {};
    }
    /// Whether a job keeps its key from nobody, or not from one that would replace it.
    bool gives_way(const key_holder& other, on_duplicate then) {
        if (other.scope == unique_scope::while_waiting && !waits(other.job)) return true;
        return (then == on_duplicate::replace || then == on_duplicate::debounce) && !waits(other.job);
    }
    bool waits(job_id id) {
        const tracked_job* const known = stock_.book().find(id);
        return known != nullptr && !known->held && stock_.waits(known->lane, known->rank, id);
    }
    void take(std::size_t i) {
        const unique& u = r_.option(i).unique_key;
        key_holder holder{.job = made_[i].id, .scope = u.scope()};
        if (u.scope() == unique_scope::period)
            holder.until = shifted(now_, std::chrono::floor<std::chrono::microseconds>(u.period()));
        taken_[keys_[i]] = holder;
    }

    void replace(const replacement& c, std::vector<lane_id>& touched) {
        tracked_job* const other = stock_.book().find(c.other);
        stock_.rewrite(other->lane, other->rank, c.other, (*r_.bodies)[c.by]);
        if (!c.moves) return;
        other->run_at = moment(r_.option(c.by).run_at);
        touched.push_back(other->lane);
        stock_.move(other->lane, other->rank, c.other, other->run_at.value_or(now_), now_);
    }

    /// Who waits for whom, by the ids of now.
    void link() {
        const auto count = [&](std::size_t child, job_id parent, bool in_call) {
            if (!made_[child].fresh || parent == made_[child].id) return;
            followed_.insert(child);
            const auto state = in_call ? parent_state::open : stock_.book().state_of(parent);
            if (state == parent_state::open) waits_[child].insert(parent);
            else if (state == parent_state::failed && r_.option(child).if_parent_fails != parent_failure::run)
                failed_.insert_or_assign(child, parent);
        };
        std::set<job_id> fresh;
        for (const enqueued_job& m : made_)
            if (m.fresh) fresh.insert(m.id);
        for (std::size_t i = 0; i < made_.size(); ++i)
            for (const job_id parent : r_.option(i).after) count(i, parent, false);
        for (const edge& e : r_.edges) {
            followed_.insert(e.parent);
            count(e.child, made_[e.parent].id, fresh.contains(made_[e.parent].id));
        }
    }

    void store(std::vector<lane_id>& touched) {
        const auto bytes = pack({.bodies = r_.bodies, .options = r_.options, .keys = r_.keys});
        std::span<const header> headers{bytes->headers};
        for (std::size_t i = 0; i < made_.size(); ++i) {
            const enqueue_options& o = r_.option(i);
            if (i > 0 && r_.options.size() > 1) headers = headers.subspan(r_.option(i - 1).headers.size());
            if (!made_[i].fresh) continue;
            job j{.id = made_[i].id,
                  .rank = rank_of(o, now_),
                  .lane = r_.lane(i),
                  .body = bytes->bodies[final_[i]],
                  .headers = headers.first(o.headers.size()),
                  .key = r_.key(i) ? std::optional{bytes->keys[i]} : std::nullopt,
                  .owner = bytes};
            const auto due = moment(r_.option(timed_by_[i]).run_at);
            follow(i, j, due);
            if (waits_.contains(i) || failed_.contains(i)) {
                stock_.block(std::move(j));
                continue;
            }
            touched.push_back(j.lane);
            if (due && *due > now_) stock_.defer(std::move(j), *due);
            else stock_.put(std::move(j));
        }
        for (const auto& [i, parents] : waits_)
            for (const job_id parent : parents) stock_.book().make_wait(made_[i].id, parent);
    }
    /// Into the book, when more is known of it than a queue needs to run it.
    void follow(std::size_t i, job& j, std::optional<time_point> due) {
        const enqueue_options& o = r_.option(i);
        if (!o.is_tracked() && !followed_.contains(i)) return;
        j.flags = flag_tracked;
        tracked_job t{.lane = j.lane, .rank = j.rank, .key = keys_[i], .if_failed = o.if_parent_fails, .run_at = due};
        t.expires_at = moment(o.expires_at);
        t.if_expired = o.if_expired;
        if (o.keep_outcome > duration{}) t.keep = o.keep_outcome;
        stock_.book().add(j.id, std::move(t));
    }
    std::optional<time_point> moment(const when& w) const {
        return w.is_set() ? std::optional{resolved(w, now_)} : std::nullopt;
    }

    stock& stock_;
    const tracked_request& r_;
    time_point now_;
    std::vector<std::string> keys_;  // empty: it has none
    std::vector<enqueued_job> made_{};
    std::vector<std::size_t> final_{}, timed_by_{};  // whose body and time each has in the end
    std::map<std::string, key_holder> taken_{};
    std::vector<replacement> changes_{};
    std::set<std::size_t> followed_{};
    std::map<std::size_t, std::set<job_id>> waits_{};
    std::map<std::size_t, job_id> failed_{};
};

}  // namespace pgq::driver::in_memory
