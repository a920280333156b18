#include <pgq/admin.hpp>
#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/roles.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace integration_admin {

using namespace pgq;
using namespace std::chrono_literals;
using test::database;

namespace {

const std::string hostile_queue = "q'; DROP TABLE \"lane\"; -- \\ $1 {s} %I \xF0\x9F\xA6\x86";
const std::string hostile_name = "\"job\" 'x' \xE2\x80\xAE $pgq$ \xC3\xA9\t\n";

admin<driver::libpq> operator_as(const database& db, const std::string& role) {
    return admin{driver::libpq{{.conninfo = test::roles::conninfo_as(role, db.conninfo()), .schema = db.schema()}}};
}
lane_id lane_of(const database& db, std::string_view queue, std::string_view entrypoint) {
    auto line = db.driver().connect(session_role::client).value();
    const lane_name name{.entrypoint = entrypoint};
    return line.lanes(queue, std::span{&name, 1}).value().at(0);
}
std::vector<job_id> enqueue(const database& db, lane_id lane, std::size_t n, const enqueue_options& options = {}) {
    auto line = db.driver().connect(session_role::client).value();
    bodies b;
    for (std::size_t i = 0; i < n; ++i) b.bytes().append("payload"), b.close();
    std::vector<job_id> ids;
    line.enqueue({.lane = lane, .bodies = &b, .options = std::span{&options, 1}}, ids).value();
    return ids;
}
template <class Answer>
void check_no_right(const Answer& answer) {
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == make_sqlstate("42501"));
}

}  // namespace

TEST_CASE("names and texts of any UTF-8 are listed, selected and acted upon", "[integration][admin]") {
    const database db{test::fresh_schemas::next() + "Mixed \"q\" 'x' $pgq$ {s} \\"};
    const auto lane = lane_of(db, hostile_queue, hostile_name), other = lane_of(db, "plain", hostile_name);
    const std::array<header, 1> headers{{{hostile_name, hostile_queue}}};
    const auto ids = enqueue(db, lane, 3, {.headers = headers});
    (void)enqueue(db, other, 2);
    test::claiming_session worker{db, {lane}};
    const settlement held{.kind = settle_kind::hold, .reason = hostile_queue};
    (void)worker.settle(worker.claim(1), held);

    admin ops{db.driver()};
    const auto lanes = ops.lanes({.queue = hostile_queue}).value();
    REQUIRE(lanes.size() == 1);
    CHECK(lanes[0].id == lane);
    CHECK(lanes[0].queue == hostile_queue);
    CHECK(lanes[0].entrypoint == hostile_name);
    const job_selection mine{.queue = hostile_queue, .headers = {{hostile_name, hostile_queue}}};
    CHECK(ops.jobs(mine).value().jobs.size() == 3);
    CHECK(ops.jobs({.entrypoint = hostile_name}).value().jobs.size() == 5);
    CHECK(ops.jobs({.reason = hostile_queue}).value().jobs.at(0).id == ids[0]);
    CHECK(ops.failed_groups(hostile_queue, hostile_name).value().at(0).reason == hostile_queue);
    CHECK(ops.pause(hostile_queue, hostile_name, hostile_queue).value());
    CHECK(ops.paused(hostile_queue).value().at(0).reason == hostile_queue);
    CHECK(ops.lanes({.queue = hostile_queue}).value().at(0).paused);
    CHECK(ops.resume(hostile_queue, hostile_name).value());
    CHECK(ops.requeue({.reason = hostile_queue}).value().done == 1);
    CHECK(ops.move(mine, other).value().done == 3);
    CHECK(ops.cancel(job_selection{.queue = "plain"}).value().done == 5);
    CHECK(db.is_empty());
}

TEST_CASE("jobs that two workers run, retry and finish are on exactly one page while they move",
          "[integration][admin][direct]") {
    const database db;
    const std::vector lanes{lane_of(db, "a", "job"), lane_of(db, "b", "job")};
    std::set<std::int64_t> stay;  // of a lane that nobody serves
    const auto quiet = lane_of(db, "quiet", "job");
    for (int i = 0; i < 20; ++i) {
        for (const auto lane : lanes) (void)enqueue(db, lane, 40, {.priority = static_cast<std::int16_t>(i % 3)});
        for (const auto id : enqueue(db, quiet, 5, {.packed = i % 2 == 0})) stay.insert(id.value);
    }
    std::array<std::jthread, 2> workers;
    for (std::size_t w = 0; w < workers.size(); ++w)
        workers[w] = std::jthread{[&, w](const std::stop_token& stop) {
            test::claiming_session s{db, {lanes[w]}};
            while (!stop.stop_requested()) {
                const auto got = s.promote_and_claim(7);
                if (got.leases.empty()) continue;
                (void)s.line().give_back(std::array{got.leases[0].ref}).value();
            }
        }};
    admin ops{db.driver()};
    for (int round = 0; round < 10; ++round) {
        std::map<std::int64_t, int> seen;
        for (std::optional<job_id> after = before_all_jobs; after;) {
            const auto page = ops.jobs({}, {.after = *after, .most = 97}).value();
            for (const auto& j : page.jobs) ++seen[j.id.value];
            after = page.next;
        }
        for (const auto& [id, n] : seen) CHECK(n == 1);
        CHECK(seen.size() == 1700);
        for (const auto id : stay) CHECK(seen.contains(id));
    }
    CHECK(ops.workers().value().size() == 2);
    for (auto& w : workers) w.request_stop();
    for (auto& w : workers) w.join();
    CHECK(ops.cancel(job_selection{}).value().done == 1700);
    CHECK(db.is_empty());
}

TEST_CASE("a job that moves between page and action is done once or skipped", "[integration][admin]") {
    const database db;
    const auto lane = lane_of(db, "q", "job"), other = lane_of(db, "other", "job");
    const auto ids = enqueue(db, lane, 6, {.run_at = in(1h)});
    admin ops{db.driver()}, second{db.driver()};
    const auto answer =
        ops.run_now(job_selection{.queue = "q"}, {.batch = 2,
                                                  .progress =
                                                      [&](const bulk_reply& r) {
                                                          if (r.batches == 1)
                                                              CHECK(second.run_now(ids).value().done == 4);
                                                          return true;
                                                      }})
            .value();
    CHECK(answer == bulk_reply{.matched = 2, .done = 2, .batches = 1, .complete = true});
    // The place of these jobs is out of date: they have moved since.
    auto line = db.driver().connect(session_role::client).value();
    std::vector<job_place> former;
    for (const auto& j : line.list_jobs({}).value().jobs)
        former.push_back({.id = j.id, .lane = j.lane, .rank = j.rank});
    CHECK(second.move(job_selection{}, other).value().done == 6);
    CHECK(line.act({.what = job_action::cancel, .jobs = former}).value().done == 0);
    CHECK(second.cancel(ids).value().done == 6);
}

TEST_CASE("jobs with deadlines of their own are listed, however many ranks there are", "[integration][admin][slow]") {
    const database db;
    const auto lane = lane_of(db, "q", "job");
    db.exec("INSERT INTO {s}.ready (rank, lane, body) SELECT -1 - g, " + std::to_string(lane.value) +
            ", '' FROM generate_series(1, 10500) g");
    admin ops{db.driver()};
    std::size_t n = 0;
    job_id before = before_all_jobs;
    for (std::optional<job_id> after = before; after;) {
        const auto page = ops.jobs({}, {.after = *after, .most = 1000}).value();
        for (const auto& j : page.jobs) {
            CHECK(j.id > before);
            before = j.id;
            ++n;
        }
        after = page.next;
    }
    CHECK(n == 10'500);
    CHECK(ops.cancel(job_selection{}).value().done == 10'500);
}

TEST_CASE("an action on very many jobs without their places reads the tables and finds them all",
          "[integration][admin]") {
    const database db;
    const auto lane = lane_of(db, "q", "job"), other = lane_of(db, "other", "job");
    auto ids = enqueue(db, lane, 700, {.packed = true});
    for (const auto id : enqueue(db, lane, 700)) ids.push_back(id);
    admin ops{db.driver()};
    CHECK(ops.move(ids, other).value() == bulk_reply{.matched = 1400, .done = 1400, .batches = 2, .complete = true});
    CHECK(ops.move(ids, other).value().skipped == 1400);
    CHECK(ops.cancel(ids).value().done == 1400);
    CHECK(db.is_empty());
}

TEST_CASE("an operator acts, a reader lists and cannot act, others can do neither", "[integration][admin][direct]") {
    const database db;
    const test::roles roles{db.schema()};
    const auto lane = lane_of(db, "q", "job"), other = lane_of(db, "other", "job");
    const auto ids = enqueue(db, lane, 4);
    (void)enqueue(db, lane, 2, {.run_at = in(1h)});
    test::claiming_session worker{db, {lane}};
    const settlement held{.kind = settle_kind::hold, .reason = "no"};
    (void)worker.settle(worker.claim(1), held);
    (void)worker.settle(worker.claim(1), held);
    const auto claimed = worker.claim(1);

    auto reader = operator_as(db, roles.names().reader);
    CHECK(reader.lanes().value().size() == 2);
    CHECK(reader.overview().value().entrypoints.size() == 2);
    CHECK(reader.jobs().value().jobs.size() == 6);
    CHECK(reader.jobs({.states = job_state::held, .reason = "no"}).value().jobs.size() == 2);
    CHECK(reader.workers().value().at(0).running == 1);
    CHECK(reader.failed_groups().value().size() == 1);
    CHECK(reader.counts(std::array{lane}).value().at(0).deferred.value == 2);
    CHECK(reader.preview(job_action::drop, {}).value().value == 2);
    CHECK(reader.failures(ids[0]).has_value());
    CHECK(reader.limits("q").has_value());
    CHECK(reader.schedules("q").has_value());
    CHECK(reader.paused("q").has_value());
    check_no_right(reader.payload_of(ids[3]));
    for (const auto what : {job_action::cancel, job_action::requeue, job_action::run_now, job_action::drop})
        check_no_right(db.driver().connect(session_role::client).has_value()
                           ? driver::libpq{reader.driver()}
                                 .connect(session_role::client)
                                 .value()
                                 .act({.what = what, .jobs = std::array{job_place{.id = ids[0]}}})
                           : result<action_reply>{action_reply{}});
    check_no_right(reader.cancel(job_selection{}));
    check_no_right(reader.requeue(job_selection{}));
    check_no_right(reader.run_now(job_selection{}));
    check_no_right(reader.drop(job_selection{}));
    check_no_right(reader.move(job_selection{}, other));
    check_no_right(reader.forget_worker(worker.id(), true));
    check_no_right(reader.pause("q", "job", "no"));
    check_no_right(reader.set_dead_letters(lane, other));

    auto plain_worker = operator_as(db, roles.names().worker);
    CHECK(plain_worker.jobs().value().jobs.size() == 6);
    check_no_right(plain_worker.cancel(job_selection{}));
    check_no_right(plain_worker.run_now(job_selection{}));
    check_no_right(plain_worker.drop(job_selection{}));
    check_no_right(plain_worker.move(job_selection{}, other));
    check_no_right(plain_worker.forget_worker(worker.id(), true));
    CHECK(plain_worker.purge().has_value());
    auto producer = operator_as(db, roles.names().producer);
    check_no_right(producer.jobs());
    check_no_right(producer.workers());

    auto ops = operator_as(db, roles.names().operators);
    CHECK(ops.payload_of(ids[3]).value() == "payload");
    CHECK(ops.run_now(job_selection{}).value().done == 2);
    CHECK(ops.requeue(std::span{ids}.first(1)).value().done == 1);
    CHECK(ops.drop(job_selection{}).value().done == 1);
    CHECK(ops.move(job_selection{.states = job_state::ready}, other).value().done == 4);
    CHECK(ops.set_dead_letters(lane, other).has_value());
    const auto refused = ops.forget_worker(worker.id()).value();
    CHECK(refused.alive);
    CHECK_FALSE(refused.forgotten);
    const auto forgotten = ops.forget_worker(worker.id(), true).value();
    CHECK(forgotten.forgotten);
    CHECK_FALSE(forgotten.returned.has_value());  // its role may not
    CHECK(db.leased() == 1);
    test::claiming_session next{db, {other}};
    CHECK(next.line().beat(next.id()).value().rescue_needed);
    CHECK(next.line().rescue().value().returned == 1);
    CHECK(worker.finish(claimed).lost.size() == 1);
    CHECK(ops.cancel(job_selection{}).value().done == 5);
    check_no_right(ops.purge());
    CHECK(db.is_empty());
}

TEST_CASE("a forgotten worker loses its jobs, and they run again at once", "[integration][admin][direct]") {
    const database db;
    const auto lane = lane_of(db, "q", "job");
    (void)enqueue(db, lane, 3);
    test::claiming_session gone{db, {lane}}, here{db, {lane}};
    const auto claimed = gone.claim(3);
    here.subscribe_wakes();
    admin ops{db.driver()};
    const auto answer = ops.forget_worker(gone.id(), true).value();
    CHECK(answer.returned == 3);
    CHECK(here.receives_wake(20s));
    CHECK(here.claim(5).claimed() == 3);
    CHECK(gone.finish(claimed).lost.size() == 1);
    CHECK_FALSE(gone.line().beat(gone.id()).value().alive);
}

TEST_CASE("a page of deferred jobs has them, although many held jobs have lower ids", "[integration][admin]") {
    const database db;
    const auto lane = lane_of(db, "q", "e");
    db.exec("INSERT INTO {s}.deferred (run_at, kind, id, rank, lane, body) SELECT 'infinity', 'h', n, 0, " +
            std::to_string(lane.value) + ", '{}' FROM generate_series(1, 30000) n");
    (void)db.query_int("SELECT setval('{q}.job_id', 40000)");
    const auto later = enqueue(db, lane, 3, {.run_at = in(1h)});
    admin ops{db.driver()};
    const auto page = ops.jobs({.states = job_state::deferred}, {.patience = 0s}).value();
    REQUIRE(page.jobs.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(page.jobs[i].id == later[i]);
    CHECK(ops.jobs({.states = job_state::held}, {.most = 5}).value().jobs.size() == 5);
}

}  // namespace integration_admin
