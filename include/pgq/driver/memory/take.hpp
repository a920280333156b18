#pragma once

#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/driver/memory/match.hpp>
#include <pgq/driver/memory/undo_log.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/take.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// All but the first `most` go back.
inline void put_back_behind(stock& waiting, std::vector<job>& jobs, std::size_t most) {
    for (; jobs.size() > most; jobs.pop_back()) waiting.put(std::move(jobs.back()));
}

/// The best that wait, off the shelf.
inline std::vector<job> waiting_jobs(stock& waiting, const take_request& r) {
    std::vector<job> jobs;
    if (r.where == nullptr || r.where->is_everything()) {
        std::vector<claim_lane> lanes;
        for (const lane_id lane : r.lanes) lanes.push_back({.lane = lane});
        for (auto& batch : waiting.take(lanes, r.limit))
            std::move(batch.jobs.begin(), batch.jobs.end(), std::back_inserter(jobs));
    } else {
        for (const lane_id lane : r.lanes)
            for (job& j : waiting.take_if(lane, r.limit, [&](const job& c) { return passes(r.where, c); }))
                jobs.push_back(std::move(j));
    }
    std::sort(jobs.begin(), jobs.end(), runs_before);
    put_back_behind(waiting, jobs, r.limit);
    return jobs;
}

/// A transaction sees what it has enqueued itself among the others.
inline void prefer_own(stock& waiting, const take_request& r, std::vector<job>& jobs, ledger& tx) {
    std::vector<job> own;
    for (const auto& p : tx.own()) {
        const bool wanted = std::find(r.lanes.begin(), r.lanes.end(), p.what.lane) != r.lanes.end();
        if (wanted && !p.due && passes(r.where, p.what)) own.push_back(p.what);
    }
    std::sort(own.begin(), own.end(), runs_before);
    std::vector<job> best;
    std::size_t mine = 0, theirs = 0;
    while (best.size() < r.limit && (mine < own.size() || theirs < jobs.size())) {
        const bool is_mine = theirs == jobs.size() || (mine < own.size() && runs_before(own[mine], jobs[theirs]));
        best.push_back(is_mine ? own[mine++] : jobs[theirs++]);
        is_mine ? tx.take_own(best.back().id) : tx.took(best.back());
    }
    put_back_behind(waiting, jobs, theirs);
    jobs = std::move(best);
}

inline taken_record record_of(const job& j) {
    taken_record t{.id = j.id, .lane = j.lane, .rank = j.rank, .attempts = j.attempts, .body = std::string{j.body}};
    for (const header& h : j.headers) t.headers.push_back({std::string{h.name}, std::string{h.value}});
    if (j.key) t.key = std::string{*j.key};
    return t;
}

}  // namespace pgq::driver::in_memory
