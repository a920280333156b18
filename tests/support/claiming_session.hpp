#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/protocol/bodies.hpp>

#include <support/database.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// A session that claims and acknowledges without a worker. Errors throw, so that threads may use it.
class claiming_session {
public:
    using session = pgq::driver::libpq::session;

    claiming_session(const database& db, std::vector<pgq::lane_id> lanes,
                     pgq::duration lease_time = std::chrono::minutes{1}, std::int16_t max_attempts = 20)
        : claiming_session{db.driver(), std::move(lanes), lease_time, max_attempts} {}
    claiming_session(pgq::driver::libpq driver, std::vector<pgq::lane_id> lanes,
                     pgq::duration lease_time = std::chrono::minutes{1}, std::int16_t max_attempts = 20)
        : session_{driver.connect(pgq::session_role::worker).value()} {
        worker_ =
            session_
                .register_worker({.host = "here", .pid = 1, .version = "0", .lease_time = lease_time, .lanes = lanes})
                .value();
        for (const auto lane : lanes) lanes_.push_back({.lane = lane, .max_attempts = max_attempts});
    }

    pgq::sync_reply sync(pgq::sync_request r) {
        pgq::sync_reply reply;
        r.worker = worker_;
        session_.sync(r, reply).value();
        return reply;
    }
    pgq::sync_reply claim(std::uint32_t limit) { return sync({.lanes = lanes_, .limit = limit}); }
    pgq::sync_reply promote_and_claim(std::uint32_t limit) {
        return sync({.lanes = lanes_, .limit = limit, .promote = true});
    }
    pgq::sync_reply finish(const pgq::sync_reply& claimed) {
        std::vector<pgq::lease_ref> refs;
        for (const auto& l : claimed.leases) refs.push_back(l.ref);
        return sync({.finished = refs});
    }
    /// Settles a lease of one job.
    pgq::sync_reply settle(const pgq::sync_reply& claimed, const pgq::settlement& how) {
        const pgq::lease_progress p{.ref = claimed.leases.at(0).ref, .last = true, .mask = "\1", .items = {&how, 1}};
        return sync({.progressed = {&p, 1}});
    }
    /// Subscribes to wakes, as a worker does before it sleeps.
    void subscribe_wakes() { (void)sync({.lanes = lanes_, .limit = 1, .subscribe_wakes = true}); }
    bool receives_wake(pgq::duration within) { return session_.wait(within).value() == pgq::wake_reason::notified; }

    session& line() noexcept { return session_; }
    pgq::worker_id id() const noexcept { return worker_; }

private:
    session session_;
    pgq::worker_id worker_{};
    std::vector<pgq::claim_lane> lanes_;
};

/// A client session with lanes of any names.
class enqueuing_session {
public:
    explicit enqueuing_session(pgq::driver::connection_options options)
        : session_{
              pgq::driver::libpq{database::unbroken(std::move(options))}.connect(pgq::session_role::client).value()} {}

    std::vector<pgq::lane_id> lanes(const std::vector<std::string>& entrypoints) {
        std::vector<pgq::lane_name> names;
        for (const auto& e : entrypoints) names.push_back({.entrypoint = e});
        return session_.lanes("default", names).value();
    }
    std::vector<pgq::job_id> enqueue(pgq::lane_id lane, const std::vector<std::string>& texts,
                                     const pgq::enqueue_options& options = {}) {
        pgq::bodies b;
        for (const auto& t : texts) b.bytes().append(t), b.close();
        std::vector<pgq::job_id> ids;
        session_.enqueue({.lane = lane, .bodies = &b, .options = {&options, 1}}, ids).value();
        return ids;
    }
    std::int64_t ready(pgq::lane_id lane) { return session_.counts(lane).value().ready; }
    claiming_session::session& line() noexcept { return session_; }

private:
    claiming_session::session session_;
};

/// Returns "prefix0", "prefix1", ...
inline std::vector<std::string> numbered(std::string_view prefix, int count) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.push_back(std::string{prefix} + std::to_string(i));
    return names;
}

}  // namespace test
