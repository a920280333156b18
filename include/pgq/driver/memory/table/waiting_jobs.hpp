#pragma once

#include <pgq/driver/memory/table/clock.hpp>
#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/ready_queue.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
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

/// The jobs that one claim takes from one lane.
struct taken_batch {
    claim_lane request{};
    std::vector<job> jobs{};
};

/// Every job that no worker runs: ready, deferred, blocked or held.
class waiting_jobs {
public:
    lane_id add_lane() {
        ready_.emplace_back();
        return {static_cast<std::int32_t>(ready_.size())};
    }
    bool has_lane(lane_id lane) const noexcept {
        return lane.value > 0 && static_cast<std::size_t>(lane.value) <= ready_.size();
    }

    void add_ready(job j) {
        ready_queue& lane = queue(j.lane);
        lane.push(std::move(j));
    }
    void defer(job j, time_point due) { deferred_.emplace(std::pair{due, j.id}, std::move(j)); }
    void block(job j) {
        const job_id id = j.id;
        blocked_.emplace(id, std::move(j));
    }
    std::optional<job> remove_blocked(job_id id) {
        auto found = blocked_.extract(id);
        return found ? std::optional{std::move(found.mapped())} : std::nullopt;
    }
    /// Removes a deferred job, but not one that is blocked or held.
    std::optional<job> remove_deferred(job_id id) {
        const auto at = find_deferred(id);
        return at == deferred_.end() ? std::nullopt : std::optional{std::move(deferred_.extract(at).mapped())};
    }
    void hold(job j, std::string_view reason) {
        const job_id id = j.id;
        held_.emplace(id, held_entry{.what = std::move(j), .reason = std::string{reason}});
    }

    /// Makes the deferred jobs that are due ready. Adds their lanes to `touched`. Returns how many there were.
    std::uint32_t promote(time_point now, std::vector<lane_id>& touched) {
        std::uint32_t n = 0;
        for (; !deferred_.empty() && deferred_.begin()->first.first <= now; ++n) {
            auto first = deferred_.extract(deferred_.begin());
            touched.push_back(first.mapped().lane);
            add_ready(std::move(first.mapped()));
        }
        return n;
    }
    /// The time until the next deferred job is due; zero if it is due already; none if there is no deferred job.
    std::optional<duration> next_due(time_point now) const {
        if (deferred_.empty()) return std::nullopt;
        return time_until(deferred_.begin()->first.first, now);
    }

    std::vector<taken_batch> take(std::span<const claim_lane> lanes, std::size_t limit,
                                  std::size_t max_bytes = SIZE_MAX, bool* cut = nullptr);

    bool has_ready(lane_id lane) const noexcept { return has_lane(lane) && !ready_[index(lane)].empty(); }
    /// Removes and returns the first ready jobs of the lane that match, at most `limit`.
    template <class Predicate>
    std::vector<job> take_if(lane_id lane, std::size_t limit, Predicate matches) {
        if (!has_ready(lane) || limit == 0) return {};
        return queue(lane).take_if(limit, matches);
    }

    std::vector<job> remove(std::span<const job_id> ids);
    std::vector<job_id> change_lane(std::span<const job_id> ids, lane_id to);

    bool is_held(job_id id) const { return held_.contains(id); }
    std::optional<job> remove_held(job_id id) {
        auto found = held_.extract(id);
        return found ? std::optional{std::move(found.mapped().what)} : std::nullopt;
    }
    /// The attempts of a held job, and why it is held.
    std::optional<std::pair<std::int16_t, std::string_view>> held_reason(job_id id) const {
        const auto found = held_.find(id);
        if (found == held_.end()) return std::nullopt;
        return std::pair{found->second.what.attempts, std::string_view{found->second.reason}};
    }

    /// Calls `f(job&, job_state)` for every job. `f` must not change a job's rank or id.
    template <class F>
    void for_each(F f) {
        for (auto& lane : ready_) lane.for_each([&](job& j) { f(j, job_state::ready); });
        for (auto& [at, j] : deferred_) f(j, job_state::deferred);
        for (auto& [id, j] : blocked_) f(j, job_state::blocked);
        for (auto& [id, e] : held_) f(e.what, job_state::held);
    }

    /// Calls `f(time_point due, const job&)` for every deferred job.
    template <class F>
    void for_each_deferred(F f) const {
        for (const auto& [at, j] : deferred_) f(at.first, j);
    }

    /// Where a job waits, and its due time if it is deferred.
    struct waiting_place {
        const job* what = nullptr;  ///< null: the job does not wait
        job_state state = job_state::ready;
        std::optional<time_point> due{};
    };
    waiting_place find(job_id id) {
        waiting_place found;
        for_each([&](job& j, job_state state) {
            if (j.id == id) found = {.what = &j, .state = state};
        });
        if (found.what != nullptr && found.state == job_state::deferred) found.due = find_deferred(id)->first.first;
        return found;
    }

    /// Whether the job of this lane and rank is ready, deferred or blocked.
    bool is_waiting(lane_id lane, pgq::rank rank, job_id id) {
        return queue(lane).find(rank, id) != nullptr || blocked_.contains(id) || find_deferred(id) != deferred_.end();
    }
    void replace_body(lane_id lane, pgq::rank rank, job_id id, std::string_view body);
    void reschedule(lane_id lane, pgq::rank rank, job_id id, time_point due, time_point now);

    std::vector<held_job> held(lane_id lane, std::size_t limit) const {
        std::vector<held_job> out;
        for (const auto& [id, e] : held_) {
            if (out.size() == limit) break;
            if (e.what.lane == lane) out.push_back({stored_of(e.what), e.reason});
        }
        return out;
    }
    /// All numbers but `leased`.
    lane_counts counts(lane_id lane) const {
        const auto one = [&](const job& j) { return j.lane == lane ? 1 : 0; };
        lane_counts c;
        if (has_lane(lane)) c.ready = static_cast<std::int64_t>(ready_[index(lane)].size());
        for (const auto& e : deferred_) c.deferred += one(e.second);
        for (const auto& e : blocked_) c.blocked += one(e.second);
        for (const auto& e : held_) c.held += one(e.second.what);
        return c;
    }

    /// When the oldest ready job of the lane was enqueued; empty if none is ready.
    std::optional<time_point> oldest_ready(lane_id lane) {
        std::optional<time_point> oldest;
        if (has_lane(lane))
            queue(lane).for_each(
                [&](const job& j) { oldest = std::min(oldest.value_or(j.enqueued_at), j.enqueued_at); });
        return oldest;
    }

private:
    using deferred_map = std::map<std::pair<time_point, job_id>, job>;
    struct held_entry {
        job what{};
        std::string reason{};
    };

    static std::size_t index(lane_id lane) noexcept { return static_cast<std::size_t>(lane.value) - 1; }
    ready_queue& queue(lane_id lane) noexcept { return ready_[index(lane)]; }
    deferred_map::iterator find_deferred(job_id id) {
        return std::find_if(deferred_.begin(), deferred_.end(), [&](const auto& e) { return e.first.second == id; });
    }
    std::vector<taken_batch> open_batches(std::span<const claim_lane> lanes, std::size_t limit);

    std::vector<ready_queue> ready_{};
    deferred_map deferred_{};
    std::map<job_id, job> blocked_{};
    std::map<job_id, held_entry> held_{};
};

/// An empty batch for each distinct lane that has ready jobs.
inline std::vector<taken_batch> waiting_jobs::open_batches(std::span<const claim_lane> lanes, std::size_t limit) {
    std::vector<taken_batch> batches;
    for (const auto& lane : lanes) {
        const auto same = [&](const taken_batch& b) { return b.request.lane == lane.lane; };
        if (!has_ready(lane.lane)) continue;
        if (std::none_of(batches.begin(), batches.end(), same)) batches.push_back({.request = lane});
    }
    if (batches.size() == 1) batches[0].jobs.reserve(std::min(limit, queue(batches[0].request.lane).size()));
    return batches;
}

/// Removes and returns the first `limit` jobs of all the lanes together. `cut`: it has ended at `max_bytes`.
inline std::vector<taken_batch> waiting_jobs::take(std::span<const claim_lane> lanes, std::size_t limit,
                                                   std::size_t max_bytes, bool* cut) {
    std::size_t bytes = 0;
    std::vector<taken_batch> batches = open_batches(lanes, limit);
    std::vector<taken_batch*> heap;  // of the lanes, ordered by their first jobs
    heap.reserve(batches.size());
    for (auto& b : batches) heap.push_back(&b);
    const auto runs_later = [&](const taken_batch* a, const taken_batch* b) {
        return runs_before(queue(b->request.lane).front(), queue(a->request.lane).front());
    };
    std::make_heap(heap.begin(), heap.end(), runs_later);
    for (; limit > 0 && !heap.empty(); --limit) {
        if (heap.size() > 1) std::pop_heap(heap.begin(), heap.end(), runs_later);
        ready_queue& from = queue(heap.back()->request.lane);
        bytes += from.front().body.size();
        if (bytes > max_bytes && bytes != from.front().body.size()) {
            if (cut != nullptr) *cut = true;
            break;
        }
        heap.back()->jobs.push_back(from.pop());
        if (from.empty()) heap.pop_back();
        else if (heap.size() > 1) std::push_heap(heap.begin(), heap.end(), runs_later);
    }
    std::erase_if(batches, [](const taken_batch& b) { return b.jobs.empty(); });
    return batches;
}

/// Removes and returns these jobs, wherever they wait. `ids` must be sorted.
inline std::vector<job> waiting_jobs::remove(std::span<const job_id> ids) {
    const auto listed = [&](job_id id) { return std::binary_search(ids.begin(), ids.end(), id); };
    std::vector<job> out;
    for (const job_id id : ids) {
        if (auto held = held_.extract(id)) out.push_back(std::move(held.mapped().what));
        if (auto blocked = blocked_.extract(id)) out.push_back(std::move(blocked.mapped()));
    }
    for (auto at = deferred_.begin(); at != deferred_.end();) {
        const auto here = at++;
        if (listed(here->first.second)) out.push_back(std::move(deferred_.extract(here).mapped()));
    }
    for (auto& lane : ready_) lane.move_if([&](const job& j) { return listed(j.id); }, out);
    return out;
}

/// Moves these jobs to another lane, if they are ready, deferred or held, and not there. Returns which. `ids` must be
/// sorted.
inline std::vector<job_id> waiting_jobs::change_lane(std::span<const job_id> ids, lane_id to) {
    std::vector<job_id> moved;
    const auto moves = [&](const job& j) { return j.lane != to && std::binary_search(ids.begin(), ids.end(), j.id); };
    const auto change = [&](job& j) {
        if (!moves(j)) return;
        j.lane = to;
        moved.push_back(j.id);
    };
    std::vector<job> ready;
    for (auto& lane : ready_) lane.move_if(moves, ready);
    for (job& j : ready) {
        change(j);
        add_ready(std::move(j));
    }
    for (auto& e : deferred_) change(e.second);
    for (auto& e : held_) change(e.second.what);
    return moved;
}

/// Replaces the payload of a job that waits.
inline void waiting_jobs::replace_body(lane_id lane, pgq::rank rank, job_id id, std::string_view body) {
    const auto replace = [&](job& j) {
        j.body = body;
        j = detached_copy(j);
    };
    if (job* const ready = queue(lane).find(rank, id)) return replace(*ready);
    if (const auto at = blocked_.find(id); at != blocked_.end()) return replace(at->second);
    if (const auto at = find_deferred(id); at != deferred_.end()) replace(at->second);
}

/// Changes when a ready or deferred job is due. Does not change a blocked job.
inline void waiting_jobs::reschedule(lane_id lane, pgq::rank rank, job_id id, time_point due, time_point now) {
    if (queue(lane).find(rank, id) != nullptr) {
        if (due <= now) return;
        std::vector<job> moved;
        queue(lane).move_if([&](const job& j) { return j.id == id; }, moved);
        defer(std::move(moved.front()), due);
    } else if (const auto at = find_deferred(id); at != deferred_.end()) {
        auto moved = deferred_.extract(at);
        if (due <= now) return add_ready(std::move(moved.mapped()));
        moved.key().first = due;
        deferred_.insert(std::move(moved));
    }
}

}  // namespace pgq::driver::in_memory
