#pragma once

#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/driver/memory/lane_table.hpp>
#include <pgq/driver/memory/lease_table.hpp>
#include <pgq/driver/memory/limit_table.hpp>
#include <pgq/driver/memory/take.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// Moves jobs from what waits into leases.
class claiming {
public:
    claiming(stock& waiting, lease_book& leases, limit_book& limits, const lane_book& lanes)
        : stock_{&waiting}, leases_{&leases}, limits_{&limits}, lanes_{&lanes} {}

    /// From lanes without limits.
    void claim(const exchange_request& r, exchange_reply& reply) {
        if (r.apart != nullptr) return claim_apart(r, reply);
        for (auto& batch : stock_->take(r.lanes, r.limit)) {
            if (batch.asked.each) {
                for (job& j : batch.jobs)
                    open(r.worker, batch.asked.lane, batch.asked.max_attempts, {std::move(j)}, reply);
            } else open(r.worker, batch.asked.lane, batch.asked.max_attempts, std::move(batch.jobs), reply);
        }
    }

    /// From one that has some: how many it took.
    std::uint32_t claim_limited(worker_id worker, const limited_lane& wanted, steady_time now, exchange_reply& reply) {
        if (!stock_->has_ready(wanted.lane)) return 0;
        const auto& name = lanes_->name(wanted.lane);
        const auto limits = limits_->of(name.queue, name.entrypoint);
        std::int64_t free = wanted.most;
        std::optional<duration> rest;
        const kept_limit* keyed = nullptr;
        for (const kept_limit* l : limits) {
            if (l->what.limit.kind == limit_kind::running) {
                free = std::min(free, l->what.limit.amount - running(*l));
            } else if (l->what.limit.kind == limit_kind::running_by_key) {
                keyed = l;
            } else if (const auto tokens = static_cast<std::int64_t>(l->available(now)); tokens < free) {
                free = tokens;
                rest = l->rest(static_cast<double>(tokens), now);
            }
        }
        std::map<std::string_view, std::int64_t> by_key;
        if (keyed != nullptr) by_key = running_by_key(*keyed);
        auto jobs = stock_->take_if(wanted.lane, free > 0 ? static_cast<std::size_t>(free) : 0, [&](const job& j) {
            return keyed == nullptr || !j.key || by_key[*j.key]++ < keyed->what.limit.amount;
        });
        const auto taken = static_cast<std::int64_t>(jobs.size());
        for (kept_limit* l : limits)
            if (taken > 0 && l->what.limit.kind == limit_kind::rate) l->spend(static_cast<double>(taken), now);
        if (taken > 0) open(worker, wanted.lane, wanted.max_attempts, std::move(jobs), reply);
        if (!stock_->has_ready(wanted.lane)) return static_cast<std::uint32_t>(taken);
        if (taken == wanted.most) reply.more_limited = true;
        else if (rest && taken >= free) reply.again = reply.again ? std::min(*reply.again, *rest) : *rest;
        return static_cast<std::uint32_t>(taken);
    }

private:
    void claim_apart(const exchange_request& r, exchange_reply& reply) {
        std::vector<lane_id> lanes;
        for (const claim_lane& l : r.lanes) lanes.push_back(l.lane);
        for (job& j : waiting_jobs(*stock_, {.lanes = lanes, .limit = r.limit, .where = r.apart})) {
            const lane_id lane = j.lane;
            std::vector<job> alone_in_it;
            alone_in_it.push_back(std::move(j));
            open(r.worker, lane, r.lanes[0].max_attempts, std::move(alone_in_it), reply);
        }
    }

    void open(worker_id worker, lane_id lane, std::int16_t max_attempts, std::vector<job> jobs, exchange_reply& reply) {
        for (job& j : jobs)
            if (j.attempts < std::numeric_limits<std::int16_t>::max()) ++j.attempts;
        reply.leases.push_back(leases_->open({
            .worker = worker,
            .lane = lane,
            .max_attempts = std::max(max_attempts, std::int16_t{1}),
            .jobs = std::make_shared<const std::vector<job>>(std::move(jobs)),
        }));
    }

    std::int64_t running(const kept_limit& l) const {
        std::int64_t n = 0;
        for (const lane_id lane : lanes_->of(l.queue, l.what.entrypoint)) n += leases_->unfinished(lane);
        return n;
    }
    std::map<std::string_view, std::int64_t> running_by_key(const kept_limit& l) const {
        std::map<std::string_view, std::int64_t> n;
        for (const lane_id lane : lanes_->of(l.queue, l.what.entrypoint))
            leases_->for_each_unfinished(lane, [&](const job& j) {
                if (j.key) ++n[*j.key];
            });
        return n;
    }

    stock* stock_;
    lease_book* leases_;
    limit_book* limits_;
    const lane_book* lanes_;
};

}  // namespace pgq::driver::in_memory
