#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/testing/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// The fixture of the driver laws: a store, workers, and functions for common steps.
namespace pgq::laws {

using namespace std::chrono_literals;

using strings = std::vector<std::string>;

/// How long a law waits for something that must happen. It is much longer than needed: on a machine with
/// ten busy processes for each core, the law in which claims and ends overlap took more than 20 s.
inline constexpr auto law_timeout = 60s;
/// How long a law checks that something does not happen.
inline constexpr auto quiet_time = 150ms;

/// Returns the value. On an error, fails the test with the error's text.
template <class T>
T must(result<T> r) {
    INFO((r ? std::string{} : r.error().text()));
    REQUIRE(r.has_value());
    if constexpr (!std::is_void_v<T>) return std::move(*r);
}

/// Jobs of a reply, which may be gone.
struct ordered_jobs : std::vector<job_record> {
    std::vector<std::shared_ptr<const void>> storage{};
};

/// The jobs of all leases, in the order in which they run.
inline ordered_jobs in_order(const sync_reply& reply) {
    ordered_jobs jobs;
    for (const auto& lease : reply.leases) jobs.insert(jobs.end(), lease.jobs.begin(), lease.jobs.end());
    for (const auto& lease : reply.leases) jobs.storage.push_back(lease.storage);
    std::sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) {
        return std::pair{a.rank, a.id} < std::pair{b.rank, b.id};
    });
    return jobs;
}
inline strings bodies_of(const sync_reply& reply) {
    strings out;
    for (const auto& j : in_order(reply)) out.emplace_back(j.body);
    return out;
}
inline std::vector<job_id> ids_of(const sync_reply& reply) {
    std::vector<job_id> out;
    for (const auto& j : in_order(reply)) out.push_back(j.id);
    return out;
}
inline std::vector<lease_ref> leases_of(const sync_reply& reply) {
    std::vector<lease_ref> out;
    for (const auto& lease : reply.leases) out.push_back(lease.ref);
    return out;
}

/// The leases that a session lists.
inline std::vector<lease_ref> refs_of(const std::vector<lease_update>& listed) {
    std::vector<lease_ref> out;
    for (const auto& one : listed) out.push_back(one.ref);
    return out;
}

/// A mask as in lease_progress::mask.
inline std::string mask_of(std::initializer_list<std::uint32_t> indexes) {
    std::string mask;
    for (const auto i : indexes) {
        mask.resize(std::max(mask.size(), std::size_t{i} / 8 + 1));
        mask[i / 8] = static_cast<char>(mask[i / 8] | (1 << (i % 8)));
    }
    return mask;
}

/// Checks what is true for every claim: one lease for each lane, its jobs in order, each index once.
inline void check_shape(const sync_reply& reply) {
    std::set<lane_id> lanes;
    for (const auto& lease : reply.leases) {
        std::set<std::uint32_t> indexes;
        const auto later = [](const auto& a, const auto& b) {
            return std::pair{a.rank, a.id} >= std::pair{b.rank, b.id};
        };
        CHECK(lanes.insert(lease.lane).second);
        CHECK_FALSE(lease.jobs.empty());
        CHECK(std::adjacent_find(lease.jobs.begin(), lease.jobs.end(), later) == lease.jobs.end());
        for (const auto& j : lease.jobs) indexes.insert(j.index);
        CHECK(indexes.size() == lease.jobs.size());
        CHECK(*indexes.rbegin() == lease.jobs.size() - 1);
    }
}

/// A session with a registered worker.
template <class Session>
struct test_worker {
    Session session;
    worker_id worker{};
    std::vector<claim_lane> lanes{};

    /// Does not use the test framework, so threads may call it.
    bool try_exchange(sync_request r, sync_reply& reply) {
        r.worker = worker;
        return session.sync(r, reply).has_value();
    }
    sync_reply sync(sync_request r) {
        sync_reply reply;
        r.worker = worker;
        must(session.sync(r, reply));
        check_shape(reply);
        return reply;
    }
    sync_reply claim(std::uint32_t limit) { return sync({.lanes = lanes, .limit = limit}); }
    sync_reply promote_and_claim(std::uint32_t limit) {
        return sync({.lanes = lanes, .limit = limit, .promote = true});
    }
    sync_reply finish(const std::vector<lease_ref>& leases) { return sync({.finished = leases}); }
    sync_reply finish(const sync_reply& claimed) { return finish(laws::leases_of(claimed)); }
    sync_reply progress(const lease_progress& p) { return sync({.progressed = std::span{&p, 1}}); }
    /// Ends a lease of one job.
    sync_reply settle(const sync_reply& claimed, settlement s) {
        REQUIRE(claimed.claimed() == 1);
        const std::string mask = mask_of({0});
        return progress({.ref = claimed.leases[0].ref, .last = true, .mask = mask, .items = std::span{&s, 1}});
    }
    /// Promotes and claims until it gets at least one job.
    sync_reply claim_when_due(std::uint32_t limit) {
        sync_reply reply;
        const auto deadline = std::chrono::steady_clock::now() + law_timeout;
        while (reply.leases.empty() && std::chrono::steady_clock::now() < deadline) {
            reply = promote_and_claim(limit);
            if (reply.leases.empty()) (void)must(session.wait(10ms));
        }
        REQUIRE_FALSE(reply.leases.empty());
        return reply;
    }
    void subscribe() { (void)sync({.subscribe_wakes = true}); }
    bool receives_wake(duration within = law_timeout) { return must(session.wait(within)) == wake_reason::notified; }
};

/// A driver with an empty store, and a client session.
template <class Driver>
class driver_fixture {
public:
    using session = typename Driver::session;

    explicit driver_fixture(Driver d) : driver_{std::move(d)}, client_{must(driver_.connect(session_role::client))} {}

    session& client() { return client_; }
    session connect(session_role role) { return must(driver_.connect(role)); }

    lane_id lane(std::string_view entrypoint = "job", std::string_view queue = "default") {
        const lane_name name{.entrypoint = entrypoint};
        const auto lanes = must(client_.lanes(queue, std::span{&name, 1}));
        REQUIRE(lanes.size() == 1);
        return lanes[0];
    }
    test_worker<session> worker(const std::vector<lane_id>& lanes, duration lease_time = 1min,
                                std::int16_t attempts = 5) {
        test_worker<session> p{.session = connect(session_role::worker)};
        p.worker = must(p.session.register_worker(
            {.host = "here", .pid = 7, .version = "0", .lease_time = lease_time, .lanes = lanes}));
        for (const auto lane : lanes) p.lanes.push_back({.lane = lane, .max_attempts = attempts});
        return p;
    }

    std::vector<job_id> enqueue(lane_id lane, const strings& texts, const enqueue_options& options = {}) {
        return enqueue_each(lane, texts, {options});
    }
    std::vector<job_id> enqueue_each(lane_id lane, const strings& texts, const std::vector<enqueue_options>& options) {
        std::vector<job_id> ids;
        const bodies b = packed(texts);
        must(client_.enqueue({.lane = lane, .bodies = &b, .options = options}, ids));
        REQUIRE(ids.size() == texts.size());
        return ids;
    }
    static bodies packed(const strings& texts) {
        bodies b;
        for (const auto& text : texts) b.bytes().append(text), b.close();
        return b;
    }

    lane_counts counts(lane_id lane) { return must(client_.counts(lane)); }
    std::vector<held_job> held(lane_id lane) { return must(client_.held(lane, 100)); }

    /// Waits until `condition()` is true. Returns false after `law_timeout`.
    template <class Condition>
    bool eventually(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + law_timeout;
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            (void)must(client_.wait(10ms));
        }
        return true;
    }
    /// Calls `rescue` until it finds a dead worker.
    rescue_reply rescue() {
        rescue_reply reply;
        REQUIRE(eventually([&] { return (reply = must(client_.rescue())).workers > 0; }));
        return reply;
    }

private:
    Driver driver_;
    session client_;
};

}  // namespace pgq::laws
