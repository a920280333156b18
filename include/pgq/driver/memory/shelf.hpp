#pragma once

#include <pgq/driver/memory/clock.hpp>
#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/ready_list.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/exchange.hpp>
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

/// Every job that no worker holds: ready, deferred or held.
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

    /// `ids` are sorted.
    std::int64_t cancel(std::span<const job_id> ids) {
        const auto named = [&](job_id id) { return std::binary_search(ids.begin(), ids.end(), id); };
        std::size_t n = std::erase_if(held_, [&](const auto& e) { return named(e.first); });
        n += std::erase_if(deferred_, [&](const auto& e) { return named(e.first.second); });
        for (auto& lane : ready_) n += lane.remove_if([&](const job& j) { return named(j.id); });
        return static_cast<std::int64_t>(n);
    }
    /// Held jobs start over; adds the lanes that got something to `touched`.
    std::int64_t requeue(std::span<const job_id> ids, std::vector<lane_id>& touched) {
        std::int64_t n = 0;
        for (const job_id id : ids) {
            auto found = held_.extract(id);
            if (!found) continue;
            job j = std::move(found.mapped().what);
            j.attempts = 0;
            touched.push_back(j.lane);
            put(std::move(j));
            ++n;
        }
        return n;
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
        for (const auto& e : held_) c.held += here(e.second.what);
        return c;
    }

private:
    struct held_entry {
        job what{};
        std::string reason{};
    };

    static std::size_t index(lane_id lane) noexcept { return static_cast<std::size_t>(lane.value) - 1; }
    ready_list& list(lane_id lane) noexcept { return ready_[index(lane)]; }

    std::vector<ready_list> ready_{};
    std::map<std::pair<time_point, job_id>, job> deferred_{};
    std::map<job_id, held_entry> held_{};
};

}  // namespace pgq::driver::in_memory
