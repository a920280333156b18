#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/lane_search.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/names/lane_rotation.hpp>
#include <pgq/worker/names/served_lanes.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgq::detail {

/// What a worker of many queue names asks for with each sync: which lanes to claim from, and when to search for lanes
/// that have jobs. It learns of a name when a search finds jobs there, so it costs nothing that other names exist.
class named_lanes {
public:
    /// How often a busy worker searches, unless searches are slow: they take a twentieth of its time at most.
    static constexpr duration search_every = std::chrono::milliseconds{100};
    static constexpr std::uint32_t lanes_of_search = 500;

    /// `kinds`: of which job type each of served.lanes is. `claim_of(kind)`: how to claim from it.
    template <class ClaimOf>
    void serve(const served_queues& served, std::span<const served_lane> kinds, ClaimOf claim_of) {
        served_ = served;
        for (const auto& k : kinds) kinds_.push_back({k, claim_of(k)});
    }

    /// Sets the lanes and the search of a request. `all`: it must find every job.
    void fill(sync_request& r, bool all, steady_time now) {
        asked_at_ = now;
        if (all) rotation_.scan_all();
        r.lanes = {};
        if (r.limit == 0) return;
        r.lanes = rotation_.next(now);
        // A search that has not come to its end goes on, unless it may have passed by lanes that have jobs by now.
        const bool stale = woken_ || (all && (!continues_ || ran_));
        if (r.subscribe_wakes || (r.lanes.empty() && stale)) restart_search();
        if (now < search_at_ && !r.lanes.empty()) return;
        search_ = {.served = &served_, .behind = behind_, .most = lanes_of_search};
        r.search = &search_;
    }
    /// The sync has succeeded. Returns whether there may be more to claim. Adds new lanes to `known`.
    bool answered(const sync_request& r, const sync_reply& reply, served_lanes& known, steady_time now) {
        if (r.limit > 0) rotation_.claimed(reply.cut || reply.claimed() >= r.limit, reply.leases);
        for (const auto& p : reply.promoted_lanes)
            if (const auto at = known.index_of(p.lane); at < known.size()) activate(at, known), scan(at);
        if (reply.promoted != 0) search_at_ = {};
        if (r.search == nullptr) return !rotation_.empty() || reply.promoted != 0;
        for (const auto& f : reply.found.lanes)
            if (!f.limited) activate(known_lane(f, known), known);
        continues_ = reply.found.continues_behind.has_value();
        behind_ = reply.found.continues_behind.value_or(lane_id{});
        search_at_ = now + std::clamp<duration>(20 * (now - asked_at_), search_every, std::chrono::seconds{1});
        return continues_ || !rotation_.empty();
    }
    /// A job of the lane goes back with the next sync.
    void requeued(lane_id lane, const served_lanes& known) {
        const auto at = known.index_of(lane);
        activate(at, known);
        scan(at);
    }
    /// The worker was woken: some lane has a new job.
    void notified() noexcept {
        woken_ = true;
        search_at_ = {};
    }
    /// Jobs have run, and may have enqueued others.
    void ran() noexcept { ran_ = true; }
    void start_over() {
        rotation_.start_over();
        restart_search();
    }

private:
    void restart_search() noexcept {
        behind_ = {};
        continues_ = woken_ = ran_ = false;
        search_at_ = {};
    }
    std::size_t known_lane(const found_lane& f, served_lanes& known) {
        const auto at = known.index_of(f.lane);
        if (at < known.size()) return at;
        const auto [name, is_new] = names_.try_emplace(f.queue, names_.size());
        served_lane lane = kinds_[f.name].first;
        lane.lane = f.lane;
        lane.queue = name->first;
        name_of_.push_back(name->second);
        kind_of_.push_back(f.name);
        return known.add(lane);
    }
    void activate(std::size_t at, const served_lanes& known) {
        claim_lane claim = kinds_[kind_of_[at]].second;
        claim.lane = known[at].lane;
        rotation_.found(name_of_[at], claim);
    }
    void scan(std::size_t at) noexcept { rotation_.scan(name_of_[at]); }

    served_queues served_{};
    std::vector<std::pair<served_lane, claim_lane>> kinds_{};
    std::unordered_map<std::string, std::size_t> names_{};  // its nodes, and so the texts, stay where they are
    std::vector<std::size_t> name_of_{};                    // by position in the known lanes
    std::vector<std::size_t> kind_of_{};                    // the same; position in kinds_
    lane_rotation rotation_{};
    lane_search search_{};
    lane_id behind_{};
    bool continues_ = false;  // the latest search did not come to its end
    bool woken_ = false;      // since the search began
    bool ran_ = false;        // some job, since the search began
    steady_time search_at_{};
    steady_time asked_at_{};
};

}  // namespace pgq::detail
