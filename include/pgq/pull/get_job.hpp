#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/take.hpp>
#include <pgq/job/taken.hpp>
#include <pgq/pull/session_cache.hpp>
#include <pgq/pull/wait_for_job.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The lanes of one job type, of all those of its queue.
template <class Composition, class Job>
std::vector<lane_id> lanes_for(const std::vector<lane_id>& all) {
    std::vector<lane_id> mine;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (Composition::lanes[i].job == Composition::template index_of<Job>) mine.push_back(all[i]);
    return mine;
}
/// The version of the payloads in a lane.
template <class Composition>
std::size_t version_in(const std::vector<lane_id>& all, lane_id lane) {
    const auto found = std::find(all.begin(), all.end(), lane);
    return Composition::lanes[static_cast<std::size_t>(found - all.begin())].version;
}

/// As read_job; a serializer that throws has not read it either.
template <class Composition, class Job>
result<void> try_read(const std::vector<lane_id>& all, lane_id lane, std::string_view body, Job& job) {
    try {
        return read_job<Composition>(body, version_in<Composition>(all, lane), job);
    } catch (const std::exception& e) { return error_info{errc::invalid_payload, e.what()}; }
}

inline constexpr std::size_t max_reason_by_hand = 4096;

/// What to take, and where to say how it went.
template <class Observer>
struct taking {
    const std::vector<lane_id>* lanes = nullptr;  ///< of the whole queue
    const filter* where = nullptr;
    bool look_ahead = false;
    Observer* observer = nullptr;
};

/// Takes the best job that can be read. One that cannot is held, with the reason, and the observer hears of it.
///
/// `session` takes and keeps; `lost` is called with a job that could not even be held, and with the reason.
template <class Composition, class Job, class Session, class Observer, class Lost>
result<std::optional<taken<Job>>> take_one(Session& session, const taking<Observer>& t, std::optional<duration>& due,
                                           Lost lost) {
    const auto mine = lanes_for<Composition, Job>(*t.lanes);
    for (;;) {
        take_reply reply;
        auto took = session.take({.lanes = mine, .where = t.where, .look_ahead = t.look_ahead}, reply);
        if (!took) return std::move(took.error());
        due = reply.next_due;
        if (reply.jobs.empty()) return std::optional<taken<Job>>{};
        taken_record& record = reply.jobs.front();
        Job job{};
        auto read = try_read<Composition>(*t.lanes, record.lane, record.body, job);
        if (read) return std::optional{taken<Job>{std::move(record), std::move(job)}};

        error_info e = std::move(read.error());
        e.message = "job " + std::to_string(record.id.value) + " cannot be read: " + e.message;
        auto reason = make_storable(cannot_be_read(e).reason, max_reason_by_hand);
        notify(*t.observer, event::trouble{std::move(e)});
        if (auto kept = session.keep(record, reason); !kept) {
            lost(std::move(record), std::move(reason));
            return std::move(kept.error());
        }
    }
}

/// What queue::get does.
template <class Composition, class Job, class Client, class Driver, class Observer>
result<std::optional<taken<Job>>> get_job(Client& client, session_cache<Driver>& h, Observer& observer,
                                          const get_options& o) {
    auto lanes = client.lanes();
    if (!lanes) return std::move(lanes.error());
    const taking<Observer> t{
        .lanes = &*lanes, .where = &o.where, .look_ahead = o.timeout > duration{}, .observer = &observer};
    const waiting w{.timeout = o.timeout,
                    .poll_interval = o.poll_interval,
                    .filtered = !o.where.is_everything(),
                    .job = Composition::template index_of<Job>,
                    .lanes = lanes_for<Composition, Job>(*lanes)};
    return wait_for_job(h, client.driver(), w, [&](std::optional<duration>& due) {
        return client.with([&](auto& session, auto&) -> result<std::optional<taken<Job>>> {
            if (auto kept = h.hold_deferred(session); !kept) return std::move(kept.error());
            return take_one<Composition, Job>(session, t, due, [&](taken_record job, std::string reason) {
                h.defer_hold(std::move(job), std::move(reason));
            });
        });
    });
}

/// A transaction as a session that takes and keeps; it knows the schema by a session of the queue's client.
template <class Transaction, class Client>
struct through {
    Transaction* transaction;
    Client* client;

    result<void> take(const take_request& r, take_reply& reply) {
        return client->with([&](auto& mine, auto&) { return transaction->take(mine, r, reply); });
    }
    result<void> keep(const taken_record& job, std::string_view reason) {
        return client->with([&](auto& mine, auto&) { return transaction->keep(mine, job, reason); });
    }
};
template <class Transaction, class Client>
through(Transaction*, Client*) -> through<Transaction, Client>;

/// What taking inside of a transaction does; `transaction` takes and keeps in it. What is due is promoted outside of it, so that it locks
/// nothing but what it takes.
template <class Composition, class Job, class Transaction, class Client, class Driver, class Observer>
result<std::optional<taken<Job>>> take_inside(Transaction transaction, Client& client, session_cache<Driver>& h,
                                              Observer& observer, const take_options& o) {
    auto lanes = client.lanes();
    if (!lanes) return std::move(lanes.error());
    const taking<Observer> t{.lanes = &*lanes, .where = &o.where, .observer = &observer};
    const waiting w{.timeout = o.timeout,
                    .poll_interval = o.poll_interval,
                    .filtered = !o.where.is_everything(),
                    .job = Composition::template index_of<Job>,
                    .lanes = lanes_for<Composition, Job>(*lanes)};
    return wait_for_job(h, client.driver(), w, [&](std::optional<duration>& due) -> result<std::optional<taken<Job>>> {
        take_reply promoted;
        auto asked = client.with([&](auto& session, auto&) {
            return session.take({.limit = 0, .look_ahead = o.timeout > duration{}}, promoted);
        });
        if (!asked) return std::move(asked.error());
        std::optional<duration> unused;
        auto found =
            take_one<Composition, Job>(transaction, t, unused, [](auto&&...) {});  // lost jobs come back with it
        due = promoted.next_due;
        return found;
    });
}

}  // namespace pgq::detail
