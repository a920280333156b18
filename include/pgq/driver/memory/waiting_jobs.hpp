#pragma once

#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/ready_queue.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// What was taken from one lane for one lease.
struct taken_batch {
    claim_lane asked{};
    std::vector<job> jobs{};
};

/// Every job that no worker holds: ready, deferred, blocked or held.
class shelf {
public:
    lane_id add_lane() {
        ready_.emplace_back();
        return {static_cast<std::int32_t>(ready_.size())};
    }
    bool knows(lane_id lane) const noexcept {
        return lane.value > 0 && static_cast<std::size_t>(lane.value) <= ready_.size();
    }

    void put(job j) { list(j.lane).push(std::move(j)); }
    void defer(job j, time_point due) { deferred_.emplace(std::pair{due, j.id}, std::move(j)); }
    void block(job j) {
        const job_id id = j.id;
        blocked_.emplace(id, std::move(j));
    }
    std::optional<job> unblock(job_id id) {
        auto found = blocked_.extract(id);
        return found ? std::optional{std::move(found.mapped())} : std::nullopt;
    }
    void hold(job j, std::string_view reason) {
        const job_id id = j.id;
        held_.emplace(id, held_entry{.what = std::move(j), .reason = std::string{reason}});
    }

    /// Makes claimable what is due; adds the lanes that got something to `touched`.
    std::uint32_t promote(time_point now, std::vector<lane_id>& touched) {
        std::uint32_t n = 0;
        for (; !deferred_.empty() && deferred_.begin()->first.first <= now; ++n) {
            auto first = deferred_.extract(deferred_.begin());
            touched.push_back(first.mapped().lane);
            put(std::move(first.mapped()));
        }
        return n;
    }
    std::optional<duration> next_due(time_point now) const {
        if (deferred_.empty()) return std::nullopt;
        const time_point due = deferred_.begin()->first.first;
        if (due <= now) return duration::zero();
        // The end of the calendar is more nanoseconds away than a duration holds.
        const auto longest = std::chrono::floor<std::chrono::microseconds>(duration::max());
        return duration{std::min(due - now, longest)};
    }

    /// The best `limit` jobs over all the lanes.
    std::vector<taken_batch> take(std::span<const claim_lane> lanes, std::size_t limit) {
        std::vector<taken_batch> batches;
        for (const auto& lane : lanes) {
            const auto same = [&](const taken_batch& b) { return b.asked.lane == lane.lane; };
            if (!knows(lane.lane) || list(lane.lane).empty()) continue;
            if (std::none_of(batches.begin(), batches.end(), same)) batches.push_back({.asked = lane});
        }
        if (batches.size() == 1) {
            ready_list& only = list(batches[0].asked.lane);
            batches[0].jobs.reserve(std::min(limit, only.size()));
        }
        // A heap of the lanes by their first jobs.
        std::vector<taken_batch*> open;
        for (auto& b : batches) open.push_back(&b);
        const auto later_lane = [&](const taken_batch* a, const taken_batch* b) {
            return runs_before(list(b->asked.lane).front(), list(a->asked.lane).front());
        };
        std::make_heap(open.begin(), open.end(), later_lane);
        for (; limit > 0 && !open.empty(); --limit) {
            if (open.size() > 1) std::pop_heap(open.begin(), open.end(), later_lane);
            ready_list& from = list(open.back()->asked.lane);
            open.back()->jobs.push_back(from.pop());
            if (from.empty()) open.pop_back();
            else if (open.size() > 1) std::push_heap(open.begin(), open.end(), later_lane);
        }
        std::erase_if(batches, [](const taken_batch& b) { return b.jobs.empty(); });
        return batches;
    }

    bool has_ready(lane_id lane) const noexcept { return knows(lane) && !ready_[index(lane)].empty(); }
    /// The best `most` jobs of one lane that `may_run` lets pass.
    template <class Predicate>
    std::vector<job> take_if(lane_id lane, std::size_t most, Predicate may_run) {
        if (!has_ready(lane) || most == 0) return {};
        return list(lane).take_if(most, may_run);
    }

    /// Takes jobs away, wherever they are. `ids` are sorted.
    std::vector<job> pull(std::span<const job_id> ids) {
        const auto named = [&](job_id id) { return std::binary_search(ids.begin(), ids.end(), id); };
        std::vector<job> out;
        for (const job_id id : ids) {
            if (auto held = held_.extract(id)) out.push_back(std::move(held.mapped().what));
            if (auto blocked = blocked_.extract(id)) out.push_back(std::move(blocked.mapped()));
        }
        for (auto at = deferred_.begin(); at != deferred_.end();) {
            const auto here = at++;
            if (named(here->first.second)) out.push_back(std::move(deferred_.extract(here).mapped()));
        }
        for (auto& lane : ready_) lane.pull_if([&](const job& j) { return named(j.id); }, out);
        return out;
    }
    bool is_held(job_id id) const { return held_.contains(id); }
    std::optional<job> take_held(job_id id) {
        auto found = held_.extract(id);
        return found ? std::optional{std::move(found.mapped().what)} : std::nullopt;
    }
    /// How it came to be held: attempts and reason.
    std::optional<std::pair<std::int16_t, std::string_view>> held_because(job_id id) const {
        const auto found = held_.find(id);
        if (found == held_.end()) return std::nullopt;
        return std::pair{found->second.what.attempts, std::string_view{found->second.reason}};
    }

    /// `f(job&, held)` for every job. What orders it must not be changed.
    template <class F>
    void for_each(F f) {
        for (auto& lane : ready_) lane.for_each([&](job& j) { f(j, false); });
        for (auto& [at, j] : deferred_) f(j, false);
        for (auto& [id, j] : blocked_) f(j, false);
        for (auto& [id, e] : held_) f(e.what, true);
    }

    /// `f(const job&, job_place)` for every job.
    template <class F>
    void for_each_place(F f) {
        for (auto& lane : ready_) lane.for_each([&](const job& j) { f(j, job_place::ready); });
        for (const auto& [at, j] : deferred_) f(j, job_place::deferred);
        for (const auto& [id, j] : blocked_) f(j, job_place::blocked);
        for (const auto& [id, e] : held_) f(e.what, job_place::held);
    }

    /// Whether the job of that lane and rank is ready, deferred or blocked.
    bool waits(lane_id lane, pgq::rank rank, job_id id) {
        return list(lane).find(rank, id) != nullptr || blocked_.contains(id) || find_deferred(id) != deferred_.end();
    }
    /// Gives one that waits other bytes.
    void rewrite(lane_id lane, pgq::rank rank, job_id id, std::string_view body) {
        const auto fill = [&](job& j) {
            j.body = body;
            j = alone(j);
        };
        if (job* const ready = list(lane).find(rank, id)) return fill(*ready);
        if (const auto at = blocked_.find(id); at != blocked_.end()) return fill(at->second);
        if (const auto at = find_deferred(id); at != deferred_.end()) fill(at->second);
    }
    /// Moves one that waits to another time, but neither a blocked one nor one that is ready and stays so.
    void move(lane_id lane, pgq::rank rank, job_id id, time_point due, time_point now) {
        if (list(lane).find(rank, id) != nullptr) {
            if (due <= now) return;
            std::vector<job> it;
            list(lane).pull_if([&](const job& j) { return j.id == id; }, it);
            defer(std::move(it.front()), due);
        } else if (const auto at = find_deferred(id); at != deferred_.end()) {
            auto it = deferred_.extract(at);
            if (due <= now) return put(std::move(it.mapped()));
            it.key().first = due;
            deferred_.insert(std::move(it));
        }
    }

    std::vector<held_job> held(lane_id lane, std::size_t limit) const {
        std::vector<held_job> out;
        for (const auto& [id, e] : held_) {
            if (out.size() == limit) break;
            if (e.what.lane == lane) out.push_back({id, lane, e.what.attempts, e.reason, std::string{e.what.body}});
        }
        return out;
    }
    /// All but what workers hold.
    lane_counts counts(lane_id lane) const {
        const auto here = [&](const job& j) { return j.lane == lane ? 1 : 0; };
        lane_counts c;
        if (knows(lane)) c.ready = static_cast<std::int64_t>(ready_[index(lane)].size());
        for (const auto& e : deferred_) c.deferred += here(e.second);
        for (const auto& e : blocked_) c.deferred += here(e.second);
        for (const auto& e : held_) c.held += here(e.second.what);
        return c;
    }

private:
    using deferred_map = std::map<std::pair<time_point, job_id>, job>;
    struct held_entry {
        job what{};
        std::string reason{};
    };

    static std::size_t index(lane_id lane) noexcept { return static_cast<std::size_t>(lane.value) - 1; }
    ready_list& list(lane_id lane) noexcept { return ready_[index(lane)]; }
    deferred_map::iterator find_deferred(job_id id) {
        return std::find_if(deferred_.begin(), deferred_.end(), [&](const auto& e) { return e.first.second == id; });
    }

    std::vector<ready_list> ready_{};
    deferred_map deferred_{};
    std::map<job_id, job> blocked_{};
    std::map<job_id, held_entry> held_{};
};

}  // namespace pgq::driver::in_memory
