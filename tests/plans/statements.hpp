#pragma once

#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/find_one.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/liveness.hpp>
#include <pgq/statement/pack.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/revise.hpp>
#include <pgq/statement/statistics.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/track.hpp>
#include <pgq/statement/wake.hpp>

#include <support/database.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test {

/// A statement with its parameters, text and bytes as the library sends them.
struct bound_statement {
    std::string name{};
    std::string text{};
    bool prepare = true;
    pgq::statement::params params{};

    template <class Bind>
    static bound_statement of(const pgq::statement::query& q, Bind bind) {
        bound_statement a{.name = q.name, .text = std::string{q.text}, .prepare = q.prepare};
        bind(a.params);
        return a;
    }
    /// Of those with parameters only promotions and peeks: they begin at the start.
    static bound_statement of(const pgq::statement::query& q) {
        return of(q, [&](auto& p) {
            if (q.parameters != 0) pgq::statement::bind_position(p, {});
        });
    }
};

/// The statements that the tests explain, for the jobs of backlog.hpp.
namespace statements {

namespace st = pgq::statement;

/// Lanes. `big` has nine tenths of all jobs. The jobs of `keyed` and `busy` have keys of which two may run at once. In
/// `busy` the first half of the jobs have the same key. `counted` has the other kinds of limits. `idle` has no jobs,
/// and `packed` has only packed ones.
inline constexpr pgq::lane_id big{1}, keyed{2}, busy{3}, counted{4}, idle{11}, packed{12};

/// Ready jobs have the ids from 1. Every other row was made for a ready job with the number i, and has the id X + i.
inline constexpr std::int64_t delayed = 100'000'000, held = 200'000'000, blocked = 300'000'000, leased = 400'000'000,
                              elsewhere = 500'000'000, in_packs = 600'000'000;

// ---- claims ---------------------------------------------------------------------------------------------------------

inline pgq::claim_lane whole_lane(pgq::lane_id lane, bool each = false) {
    return {.lane = lane, .max_attempts = 20, .lease_per_job = each};
}
/// Without the lanes that have limits.
inline std::vector<pgq::claim_lane> six_lanes(bool each = false) {
    std::vector<pgq::claim_lane> all;
    for (const int lane : {1, 5, 6, 7, 8, 9}) all.push_back(whole_lane({lane}, each && lane > 6));
    return all;
}
inline bound_statement claim(const std::vector<pgq::claim_lane>& lanes, std::uint32_t limit,
                             std::size_t max_bytes = SIZE_MAX) {
    const pgq::sync_request r{.worker = {1}, .lanes = lanes, .limit = limit, .max_bytes = max_bytes};
    return bound_statement::of(st::claim_query(r), [&](auto& p) { st::bind_claim(p, r); });
}
inline bound_statement claim_one(std::uint32_t limit = 100) { return claim({whole_lane(big)}, limit); }
/// Whose bytes are not counted.
inline bound_statement claim_few(std::uint32_t limit) {
    const auto lane = whole_lane(big);
    const pgq::sync_request r{.worker = {1}, .lanes = {&lane, 1}, .limit = limit, .counts_bytes = false};
    return bound_statement::of(st::claim_query(r), [&](auto& p) { st::bind_claim(p, r); });
}
inline bound_statement claim_one_behind(pgq::claim_cursor cursor) {
    return claim({{.lane = big, .cursor = cursor, .max_attempts = 20}}, 100);
}
/// In the turn that the transaction holds.
inline bound_statement claim_in_slot() {
    const auto lane = whole_lane(big);
    const pgq::sync_request r{.worker = {1}, .lanes = {&lane, 1}, .limit = 100, .contended = true};
    return bound_statement::of(st::claim_query(r), [&](auto& p) { st::bind_claim(p, r); });
}
/// For a lane that has packs.
inline bound_statement claim_packed(pgq::lane_id lane, std::uint32_t limit) {
    const auto whole = whole_lane(lane);
    const pgq::sync_request r{.worker = {1}, .lanes = {&whole, 1}, .limit = limit};
    return bound_statement::of(st::claim_packed, [&](auto& p) { st::bind_claim_packed(p, r); });
}
inline bound_statement unpack(const std::vector<pgq::lane_id>& lanes, std::uint32_t jobs) {
    return bound_statement::of(st::unpack, [&](auto& p) {
        p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
        st::bind_unpack(p, jobs, nullptr);
    });
}
inline bound_statement claim_many() { return claim(six_lanes(), 100); }
inline bound_statement claim_each() { return claim(six_lanes(true), 100); }
inline bound_statement claim_apart(const std::vector<pgq::claim_lane>& lanes, const pgq::filter& where = {}) {
    const pgq::sync_request r{.worker = {1}, .lanes = lanes, .limit = 10, .claim_filter = &where};
    const st::filtered_claim s{r};
    return bound_statement::of(s.get(), [&](auto& p) { s.bind(p); });
}
inline bound_statement claim_limited(pgq::lane_id lane, std::size_t max_bytes = SIZE_MAX) {
    const pgq::limited_lane want{.lane = lane, .most = 100, .max_attempts = 20};
    const pgq::sync_request r{.worker = {1}, .max_bytes = max_bytes, .limited = {&want, 1}, .limited_capacity = 100};
    return bound_statement::of(st::claim_limited, [&](auto& p) { st::bind_claim_limited(p, r); });
}
/// Every fifth job has this header, also jobs at the front of a lane.
inline pgq::filter of_a_tenant() { return pgq::header_of("tenant") == "a"; }

// ---- takes ----------------------------------------------------------------------------------------------------------

inline bound_statement take(const std::vector<pgq::lane_id>& lanes, std::uint32_t limit,
                            const pgq::filter& where = {}) {
    const pgq::take_request r{.lanes = lanes, .limit = limit, .where = &where};
    const st::take_statement s{r};
    return bound_statement::of(s.get(), [&](auto& p) { s.bind(p); });
}
inline bound_statement take_one() { return take({big}, 1); }
inline bound_statement take_many() { return take({{1}, {5}, {6}, {7}, {8}, {9}}, 1); }

// ---- leases ---------------------------------------------------------------------------------------------------------

/// The location of a lease, 0 if there is none with this id.
inline pgq::lease_ref lease_if_any(const sql_connection& c, std::int64_t id) {
    const auto place = c.query_int(
        "SELECT (ctid::text::point)[0]::int8 * 65536 + (ctid::text::point)[1]::int8 FROM {s}.lease WHERE id = " +
        std::to_string(id));
    return {id, static_cast<std::uint64_t>(place)};
}
/// Each lease has 20 jobs, and those of leases with odd ids are tracked.
inline pgq::lease_ref lease(const sql_connection& c, std::int64_t id) {
    const auto found = lease_if_any(c, id);
    if (found.location == 0) throw std::logic_error{"the backlog has no lease " + std::to_string(id)};
    return found;
}
inline pgq::worker_id worker_of(const pgq::lease_ref& l) { return {static_cast<std::int32_t>(1 + (l.id - 1) % 50)}; }
inline pgq::job_id first_job_of(const pgq::lease_ref& l) { return {leased + 500 * l.id}; }

inline bound_statement finish(const pgq::lease_ref& l) {
    return bound_statement::of(st::finish, [&](auto& p) { st::bind_finish(p, worker_of(l), {&l, 1}); });
}
inline bound_statement progress(const pgq::lease_ref& l, pgq::lease_progress g) {
    g.ref = l;
    g.mask = std::string_view{"\1\0\0", 3};
    g.flagged = l.id % 2 == 1;
    return bound_statement::of(st::progress_query(g), [&](auto& p) { st::bind_progress(p, worker_of(l), g); });
}
inline bound_statement mark(const pgq::lease_ref& l) { return progress(l, {}); }
inline bound_statement settle(const pgq::lease_ref& l, pgq::settle_kind kind, bool last) {
    const pgq::settlement s{.kind = kind, .reason = "why"};
    return progress(l, {.last = last, .items = {&s, 1}});
}
inline bound_statement of_lease(const st::query& q, const pgq::lease_ref& l) {
    return bound_statement::of(q, [&](auto& p) { p.tid(l.location).number(l.id).number(worker_of(l).value); });
}
inline bound_statement owns_lease(const pgq::lease_ref& l) { return of_lease(st::owns_lease, l); }
inline bound_statement hold_lease(const pgq::lease_ref& l) { return of_lease(st::hold_lease, l); }
inline bound_statement settle_held(const pgq::lease_ref& l) {
    const pgq::settlement done{.kind = pgq::settle_kind::done};
    const pgq::lease_progress g{.ref = l, .last = true, .mask = "\1", .items = {&done, 1}, .flagged = true};
    return bound_statement::of(st::settle_held, [&](auto& p) { st::bind_progress(p, worker_of(l), g); });
}
inline bound_statement finish_inside(const pgq::lease_ref& l) {
    return bound_statement::of(st::finish_inside, [&](auto& p) { p.number(l.id).number(worker_of(l).value); });
}
inline bound_statement revise_body(const pgq::lease_ref& l) {
    return bound_statement::of(st::revise_body, [&](auto& p) {
        st::bind_revision(p, {.worker = worker_of(l), .lease = l.id, .job = first_job_of(l)});
        p.bytes("new");
    });
}
inline bound_statement revise_progress(const pgq::lease_ref& l) {
    return bound_statement::of(st::revise_progress, [&](auto& p) {
        st::bind_revision(p, {.worker = worker_of(l), .lease = l.id, .job = first_job_of(l)});
        p.text("half");
    });
}

// ---- workers --------------------------------------------------------------------------------------------------------

inline bound_statement of_worker(const st::query& q, std::int32_t worker) {
    return bound_statement::of(q, [&](auto& p) { p.number(worker); });
}
inline bound_statement give_back(const std::vector<std::int64_t>& leases) {
    return bound_statement::of(st::give_back,
                               [&](auto& p) { p.int8s(leases.size(), [&](std::size_t i) { return leases[i]; }); });
}
inline bound_statement expire_and_purge() {
    return bound_statement::of(st::expire_and_purge,
                               [](auto& p) { p.number(std::int32_t{1}).number(std::int32_t{48}); });
}
inline bound_statement in_space(const st::query& q, const sql_connection& c) {
    return bound_statement::of(
        q, [&](auto& p) { p.number(static_cast<std::int32_t>(c.query_int("SELECT {s}.schema_id()"))); });
}
inline bound_statement wake(const sql_connection& c) {
    auto a = in_space(st::wake, c);
    a.params.int4s(2, [](std::size_t i) { return static_cast<std::int32_t>(i + 1); });
    return a;
}

// ---- statistics -----------------------------------------------------------------------------------------------------

/// What a worker has counted of ten lanes in the present minute and in the one before.
inline bound_statement add_minutes(std::int64_t number) {
    std::vector<pgq::minute_counts> rows;
    const std::int64_t before = std::chrono::system_clock::now().time_since_epoch() / std::chrono::minutes{1} - 1;
    for (std::int32_t lane = 1; lane <= 10; ++lane) {
        rows.push_back({.lane = {lane}, .what = {.done = 100}});
        rows.back().what.run.add(std::chrono::milliseconds{3}, 100);
        rows.push_back({.lane = {lane}, .minute = before, .what = {.enqueued = 100}});
    }
    return bound_statement::of(st::add_minutes,
                               [&](auto& p) { st::bind_report(p, {7}, {.number = number, .rows = rows}); });
}
inline bound_statement of_lanes(const st::query& q, const std::vector<pgq::lane_id>& lanes, std::int64_t most) {
    return bound_statement::of(
        q, [&](auto& p) { p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; }).number(most); });
}
inline bound_statement statistics_of(const std::vector<pgq::lane_id>& lanes, const pgq::statistics_request& r) {
    return bound_statement::of(st::statistics, [&](auto& p) {
        p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
        st::bind_window(p, r);
    });
}
inline std::vector<pgq::lane_id> all_lanes() {
    std::vector<pgq::lane_id> lanes;
    for (std::int32_t lane = 1; lane <= 12; ++lane) lanes.push_back({lane});
    return lanes;
}

// ---- enqueues -------------------------------------------------------------------------------------------------------

inline pgq::bodies bodies(std::size_t n) {
    pgq::bodies all;
    for (std::size_t i = 0; i < n; ++i) {
        all.bytes() += std::string(45, 'x');
        all.close();
    }
    return all;
}
inline bound_statement enqueue(std::size_t n, const std::vector<pgq::enqueue_options>& options,
                               pgq::lane_id lane = big) {
    const auto all = bodies(n);
    const pgq::enqueue_request r{.lane = lane, .bodies = &all, .options = options};
    return bound_statement::of(st::enqueue_query(r), [&](auto& p) { st::bind_enqueue(p, r); });
}
inline bound_statement enqueue_plain(std::size_t n) { return enqueue(n, {{}}); }
inline bound_statement enqueue_pack(std::size_t n) {
    pgq::bodies bodies;
    for (std::size_t i = 0; i < n; ++i) bodies.bytes() += "{}", bodies.close();
    const pgq::enqueue_options packs{.packed = true};
    const pgq::enqueue_request r{.lane = idle, .bodies = &bodies, .options = {&packs, 1}};
    return bound_statement::of(st::enqueue_pack, [&](auto& p) { st::bind_pack(p, r, 0, n); });
}
inline bound_statement enqueue_delayed(std::size_t n) {
    return enqueue(n, {{.run_at = pgq::in(std::chrono::hours{1})}});
}
inline bound_statement enqueue_followed(std::size_t n) { return enqueue(n, {{.keep_outcome = std::chrono::hours{1}}}); }
/// Two new keys, and one that a waiting job has.
inline bound_statement enqueue_unique(pgq::unique rule) {
    std::vector<pgq::enqueue_options> options;
    for (const auto* key : {"new", "newer", "key7"}) options.push_back({.unique_key = rule.with_key(key)});
    return enqueue(options.size(), options);
}
/// After two tracked jobs that wait.
inline bound_statement enqueue_behind() {
    static constexpr std::array<pgq::job_id, 2> parents{{{7}, {27}}};
    return enqueue(10, {{.after = parents}});
}
inline bound_statement enqueue_bounded() { return enqueue(10, {{.at_most = 1000}}, idle); }

// ---- jobs by their ids ----------------------------------------------------------------------------------------------

inline bound_statement of_jobs(const st::query& q, const std::vector<std::int64_t>& jobs) {
    return bound_statement::of(q, [&](auto& p) { p.int8s(jobs.size(), [&](std::size_t i) { return jobs[i]; }); });
}
inline bound_statement of_job(const st::query& q, std::int64_t job) {
    return bound_statement::of(q, [&](auto& p) { p.number(job); });
}
inline bound_statement find_one(std::int64_t job) { return of_job(st::find_one, job); }
inline bound_statement held_of(pgq::lane_id lane) {
    return bound_statement::of(st::held, [&](auto& p) { p.number(lane.value).number(std::int64_t{10}); });
}
inline bound_statement keep(pgq::job_id job) {
    const pgq::taken_record taken{.id = job, .lane = big, .body = "x"};
    return bound_statement::of(st::hold_taken, [&](auto& p) { st::bind_hold_taken(p, taken, "why"); });
}
inline bound_statement watch(const std::vector<pgq::job_id>& jobs) {
    return bound_statement::of(st::watch, [&](auto& p) { st::bind_watch(p, jobs, 7, std::chrono::hours{1}); });
}
/// What other statements call when tracked jobs have ended: here both parents of a blocked one, which begins then.
inline bound_statement end_tracked() {
    return {.name = "end_tracked",
            .text = "SELECT {s}.end_tracked('{67,87}', '{d,d}'::\"char\"[], '{1,1}'::int2[], NULL, NULL)"};
}

// ---- everything -----------------------------------------------------------------------------------------------------

/// Each statement above that a worker's session executes. There may be no leases yet.
inline std::vector<bound_statement> all_of_workers(const sql_connection& c) {
    using kind = pgq::settle_kind;
    const auto plain = lease_if_any(c, 2), tracked = lease_if_any(c, 1);
    std::vector<bound_statement> all{claim_one(),
                                     claim_few(30),
                                     claim_many(),
                                     claim_each(),
                                     claim_apart({whole_lane(big)}),
                                     claim_apart(six_lanes()),
                                     claim_apart({whole_lane(big)}, of_a_tenant()),
                                     claim_limited(keyed),
                                     claim_limited(busy),
                                     claim_limited(counted),
                                     bound_statement::of(st::promote),
                                     bound_statement::of(st::peek_next_due),
                                     in_space(st::wake_collected, c)};
    for (const auto& l : {plain, tracked}) {
        all.push_back(finish(l));
        all.push_back(mark(l));
        all.push_back(revise_body(l));
        all.push_back(revise_progress(l));
        for (const bool last : {false, true})
            for (const auto k : {kind::retry, kind::hold}) all.push_back(settle(l, k, last));
    }
    for (const bool last : {false, true}) all.push_back(settle(tracked, kind::done, last));
    for (const auto* q : {&st::beat, &st::leases_of, &st::give_back_all}) all.push_back(of_worker(*q, 7));
    for (const auto* q : {&st::remove_dead_workers, &st::rescue_leases}) all.push_back(bound_statement::of(*q));
    all.push_back(give_back({1, 2}));
    return all;
}

/// Each statement above that a client's session executes. There may be no leases yet.
inline std::vector<bound_statement> all_of_clients(const sql_connection& c) {
    const auto plain = lease_if_any(c, 2), tracked = lease_if_any(c, 1);
    return {take_one(),
            take_many(),
            bound_statement::of(st::promote_planned),
            bound_statement::of(st::look_ahead_planned),
            enqueue_plain(1),
            enqueue_plain(100),
            enqueue_delayed(100),
            enqueue_followed(100),
            enqueue_unique({}),
            enqueue_behind(),
            enqueue_bounded(),
            wake(c),
            owns_lease(plain),
            hold_lease(plain),
            settle_held(plain),
            settle_held(tracked),
            finish_inside(plain),
            of_worker(st::beat, 7),
            bound_statement::of(st::remove_dead_workers),
            bound_statement::of(st::rescue_leases),
            expire_and_purge(),
            watch({{7}, {27}}),
            of_jobs(st::cancel, {7, 27}),
            of_jobs(st::requeue, {held + 50, held + 100}),
            end_tracked()};
}

}  // namespace statements

}  // namespace test
