#pragma once

#include <pgq/client/queue_admin.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/context/taken.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/pull/session_cache.hpp>
#include <pgq/pull/wait_for_job.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The version of the payloads in a lane.
template <class Composition>
std::size_t version_in(const std::vector<lane_id>& all, lane_id lane) {
    const auto found = std::find(all.begin(), all.end(), lane);
    return Composition::lanes[static_cast<std::size_t>(found - all.begin())].version;
}

/// As read_job. If the serializer throws, that is an error, too.
template <class Composition, class Job>
result<void> try_read(const std::vector<lane_id>& all, lane_id lane, std::string_view body, Job& job) {
    try {
        return read_job<Composition>(body, version_in<Composition>(all, lane), job);
    } catch (const std::exception& e) { return error_info{errc::invalid_payload, e.what()}; }
}

/// Why a job is held that cannot be read. The observer gets the error, which becomes one about this job.
template <class Observer>
std::string report_unreadable(Observer& observer, job_id id, error_info why) {
    constexpr std::size_t max_reason = 4096;
    why.message = "job " + std::to_string(id.value) + " cannot be read: " + why.message;
    auto reason = make_storable(cannot_be_read(why).reason, max_reason);
    notify(observer, event::error{std::move(why)});
    return reason;
}

/// What the queue object keeps between calls of `get` and `take`.
template <class Composition>
auto& cache_of(queue_core<Composition>& core) {
    using cache = session_cache<driver_of<Composition>>;
    return core.parts.template get<cache>([] { return std::make_shared<cache>(); });
}

template <class Composition, class Job, class Options>
waiting waiting_for(const std::vector<lane_id>& lanes, const Options& o) {
    return {.timeout = o.timeout,
            .poll_interval = o.poll_interval,
            .filtered = !o.where.is_everything(),
            .job = Composition::template index_of<Job>,
            .lanes = lanes_for<Composition, Job>(lanes)};
}

/// Which job to take, and which observer receives errors.
template <class Observer>
struct take_parameters {
    const std::vector<lane_id>* lanes = nullptr;  ///< of the whole queue
    const filter* where = nullptr;
    bool peek_next_due = false;
    Observer* observer = nullptr;
};

/// Takes the best job that can be read. A job that cannot be read is held with the reason.
///
/// `session` has `take` and `keep`. `not_held(job, reason)` is called for a job that could not even be held.
template <class Composition, class Job, class Session, class Observer, class NotHeld>
result<std::optional<taken<Job>>> take_one(Session& session, const take_parameters<Observer>& t,
                                           std::optional<duration>& due, NotHeld not_held) {
    const auto mine = lanes_for<Composition, Job>(*t.lanes);
    for (;;) {
        take_reply reply;
        auto took = session.take({.lanes = mine, .where = t.where, .peek_next_due = t.peek_next_due}, reply);
        if (!took) return std::move(took.error());
        due = reply.next_due;
        if (reply.jobs.empty()) return std::optional<taken<Job>>{};
        taken_record& record = reply.jobs.front();
        Job job{};
        auto read = try_read<Composition>(*t.lanes, record.lane, record.body, job);
        if (read) return std::optional{taken<Job>{std::move(record), std::move(job)}};

        auto reason = report_unreadable(*t.observer, record.id, std::move(read.error()));
        if (auto held = session.hold_taken(record, reason); !held) {
            not_held(std::move(record), std::move(reason));
            return std::move(held.error());
        }
    }
}

/// What queue::get does.
template <class Composition, class Job>
result<std::optional<taken<Job>>> get_job(queue_core<Composition>& core, const get_options& o) {
    const steady_time end = give_up_at(o.timeout, std::chrono::steady_clock::now());
    auto lanes = core.connection.lanes(end);
    if (!lanes) return std::move(lanes.error());
    auto& cache = cache_of(core);
    const take_parameters<typename Composition::observer> t{
        .lanes = &*lanes, .where = &o.where, .peek_next_due = o.timeout > duration{}, .observer = &core.observer};
    waiting w = waiting_for<Composition, Job>(*lanes, o);
    w.give_up_at = end;
    const auto take = [&](auto& session, std::optional<duration>& due) -> result<std::optional<taken<Job>>> {
        if (auto held = cache.hold_deferred(session); !held) return std::move(held.error());
        return take_one<Composition, Job>(session, t, due, [&](taken_record job, std::string reason) {
            cache.defer_hold(std::move(job), std::move(reason));
        });
    };
    return wait_for_job(cache, core.connection.driver(), w, [&](std::optional<duration>& due) {
        return core.connection.with([&](auto& session, auto&) { return take(session, due); }, end);
    });
}

template <class Composition, class Job, class Session>
result<std::optional<taken<Job>>> take_until(Session& inside, queue_core<Composition>& core, const take_options& o,
                                             steady_time end) {
    auto lanes = core.connection.lanes(end);
    if (!lanes) return std::move(lanes.error());
    const take_parameters<typename Composition::observer> t{
        .lanes = &*lanes, .where = &o.where, .observer = &core.observer};
    waiting w = waiting_for<Composition, Job>(*lanes, o);
    w.give_up_at = end;
    const auto look = [&](std::optional<duration>& due) -> result<std::optional<taken<Job>>> {
        take_reply promoted;
        auto asked = core.connection.with(
            [&](auto& session, auto&) {
                return session.take({.limit = 0, .peek_next_due = o.timeout > duration{}}, promoted);
            },
            end);
        if (!asked) return std::move(asked.error());
        std::optional<duration> unused;
        // A job that could not be held comes back with the transaction.
        auto found = take_one<Composition, Job>(inside, t, unused, [](auto&&...) {});
        due = promoted.next_due;
        return found;
    };
    return wait_for_job(cache_of(core), core.connection.driver(), w, look);
}

/// Takes a job on a session that is in a transaction. Jobs that become due are made claimable on the queue's
/// connection, so that the transaction locks only what it takes. `limit` is that of the session. If the server is
/// silent, the call ends when the caller's time is over, and then the limit stays: the rollback does not wait either.
template <class Composition, class Job, class Session>
result<std::optional<taken<Job>>> take_inside(Session& inside, queue_core<Composition>& core, const take_options& o,
                                              call_limit& limit) {
    const steady_time end = give_up_at(o.timeout, std::chrono::steady_clock::now());
    limit.set(end);
    auto found = take_until<Composition, Job>(inside, core, o, end);
    if (found || !(ends_session(found.error()) || found.error() == errc::timeout)) limit.clear();
    return found;
}

/// The caller's transaction as a session. It learns from a session of the queue which schema to use.
template <class Transaction, class Driver>
struct caller_session {
    Transaction* transaction;
    client_connection<Driver>* connection;
    call_limit limit{};

    result<void> take(const take_request& r, take_reply& reply) {
        return connection->with([&](auto& mine, auto&) { return transaction->take(mine, r, reply, end()); }, end());
    }
    result<void> hold_taken(const taken_record& job, std::string_view reason) {
        return connection->with([&](auto& mine, auto&) { return transaction->hold_taken(mine, job, reason, end()); },
                                end());
    }
    steady_time end() const noexcept { return limit.bound(steady_time::max(), std::chrono::steady_clock::now()); }
};

}  // namespace pgq::detail
