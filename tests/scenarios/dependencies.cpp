#include <support/catch.hpp>
#include <support/claiming_session.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace scenarios_dependencies {

using namespace std::chrono_literals;
using pgq::end_kind;
using pgq::parent_failure;
using test::database;
using test::letter;
using test::note;

namespace {

using queue = pgq::queue<note, letter, pgq::driver::libpq, pgq::serializer::json>;

// The text of a note says how it ends.
pgq::outcome obey(const note& n) {
    if (n.text == "throw") throw std::runtime_error{"broken"};
    if (n.text == "discard") return pgq::discard{"not needed"};
    return pgq::done{};
}

std::vector<std::int64_t> order_of(const test::run_log& d) {
    std::vector<std::int64_t> all;
    for (const auto& s : d.all()) all.push_back(s.n);
    return all;
}

}  // namespace

TEST_CASE("a child runs only after its parent is acknowledged, across entrypoints and whatever their priorities",
          "[scenario][flow][pgjobq30]") {
    const database db;
    queue jobs{db.driver()};
    const auto a = jobs.enqueue(note{.n = 1}).value();
    const std::array parents{a.id()};
    const auto b = jobs.enqueue(letter{.n = 2}, {.priority = 100, .after = parents}).value();
    test::claiming_session c{db, jobs.lanes().value()};
    auto first = c.claim(10);
    REQUIRE(first.claimed() == 1);
    CHECK(first.leases[0].jobs[0].id == a);
    CHECK(c.claim(10).claimed() == 0);
    const pgq::settlement done{.kind = pgq::settle_kind::done};
    first.leases[0].ref = c.line().lease_updates(c.id()).value().at(0).ref;
    const pgq::lease_progress p{
        .ref = first.leases[0].ref, .last = true, .mask = "\1", .items = {&done, 1}, .flagged = true};
    CHECK(c.sync({.progressed = {&p, 1}}).promoted == 1);
    const auto second = c.claim(10);
    REQUIRE(second.claimed() == 1);
    CHECK(second.leases[0].jobs[0].id == b);
    CHECK(db.rows("dependency") == 0);
}

TEST_CASE("a parent that has already finished does not block its child", "[scenario][flow][pgjobq30]") {
    const database db;
    queue jobs{db.driver()};
    test::run_log seen;
    const auto a = jobs.enqueue(note{.n = 1}).value();
    test::run_until_empty(jobs, {}, obey, [](const letter&) {});
    const std::array parents{a.id(), pgq::job_id{987654321}};
    (void)jobs.enqueue(letter{.n = 2}, {.after = parents}).value();
    test::run_until_empty(jobs, {}, obey, [&](const letter& l, pgq::context& c) { seen.add(l.n, c); });
    CHECK(seen.size() == 1);
}

TEST_CASE("a flow of three steps is three lines of code, and the steps run one after the other", "[scenario][flow]") {
    const database db;
    queue jobs{db.driver()};
    test::run_log seen;
    test::running_worker w{jobs,
                           {.poll_interval = 10min},
                           [&](const note& n, pgq::context& c) { seen.add(n.n, c); },
                           [&](const letter& l, pgq::context& c) { seen.add(l.n, c); }};
    const auto steps = jobs.chain(note{.n = 1})
                           .then(letter{.n = 2}, {.priority = 9})
                           .then(note{.n = 3}, {.keep_outcome = 1min})
                           .enqueue()
                           .value();
    CHECK(jobs.wait_for(steps.back().id, test::test_timeout).value().kind == end_kind::done);
    CHECK(order_of(seen) == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("jobs of one flow may be added in any order, and a last job waits for all of them, however they end",
          "[scenario][flow][pgjobq30]") {
    const database db;
    queue jobs{db.driver()};
    test::run_log seen;
    const auto write_down = [&](const note& n, pgq::context& c) {
        seen.add(n.n, c);
        return obey(n);
    };
    test::running_worker w{
        jobs, {.max_attempts = 1, .poll_interval = 10min}, write_down, [&](const letter& l, pgq::context& c) {
            seen.add(l.n, c);
        }};
    auto flow = jobs.flow();
    auto late = flow.add(note{.n = 1}), early = flow.add(note{.n = 2});
    flow.add(note{.n = 3, .text = "throw"});
    late.after(early);
    flow.finally(letter{.n = 4}, {.keep_outcome = 1min});
    const auto made = flow.enqueue().value();
    CHECK(jobs.wait_for(made[3].id, test::test_timeout).value().kind == end_kind::done);
    const auto order = order_of(seen);
    REQUIRE(order.size() == 4);
    CHECK(order.back() == 4);
    CHECK(std::find(order.begin(), order.end(), 2) < std::find(order.begin(), order.end(), 1));
    CHECK(flow.enqueue().value().empty());
}

TEST_CASE("a flow refuses a cycle, names its jobs, and enqueues nothing", "[scenario][flow]") {
    const database db;
    queue jobs{db.driver()};
    auto flow = jobs.flow();
    flow.add(note{});
    auto a = flow.add(note{}), b = flow.add(letter{}), c = flow.add(note{});
    a.after(c);
    b.after(a);
    c.after(b);
    const auto refused = flow.enqueue();
    REQUIRE(refused.error() == pgq::errc::invalid_option);
    CHECK(refused.error().message.find("note (job 2), letter (job 3), note (job 4)") != std::string::npos);
    CHECK(db.is_empty());
    auto alone = jobs.flow();
    auto self = alone.add(note{});
    self.after(self);
    CHECK(alone.enqueue().error() == pgq::errc::invalid_option);
}

TEST_CASE(
    "when a parent fails for good, its child runs, is held or is cancelled as its options say, and so do its "
    "descendants",
    "[scenario][flow][pgjobq30]") {
    const database db;
    queue jobs{db.driver()};
    const auto how =
        GENERATE(std::string{"throw"}, std::string{"discard"}, std::string{"cancel"}, std::string{"expire"});
    CAPTURE(how);
    auto flow = jobs.flow();
    const bool works = how == "throw" || how == "discard";
    auto parent = flow.add(note{.text = how}, {.run_at = works ? pgq::when{} : pgq::in(1h),
                                               .expires_at = how == "expire" ? pgq::in(200ms) : pgq::when{}});
    const auto child = [&](parent_failure policy) {
        return flow.add(letter{}, {.if_parent_fails = policy, .keep_outcome = 1min}).after(parent);
    };
    child(parent_failure::run);
    auto held = child(parent_failure::hold), gone = child(parent_failure::cancel);
    flow.add(letter{}, {.keep_outcome = 1min}).after(gone);
    flow.add(letter{}, {.if_parent_fails = parent_failure::cancel, .keep_outcome = 1min}).after(held);
    const auto made = flow.enqueue().value();
    test::running_worker w{jobs, {.max_attempts = 1}, obey, [](const letter&) {}};
    if (how == "cancel") REQUIRE(jobs.cancel(made[0].id).value().removed == 1);
    std::vector<pgq::job_id> children;
    for (std::size_t i = 1; i < made.size(); ++i) children.push_back(made[i].id);
    const auto ends = jobs.wait_for(children, test::test_timeout).value();
    CHECK(ends[0].kind == end_kind::done);
    CHECK(ends[1].kind == end_kind::held);
    CHECK(ends[2].kind == end_kind::cancelled);
    CHECK(ends[3].kind == end_kind::held);
    CHECK(ends[4].kind == end_kind::cancelled);
    CHECK(ends[1].reason.find("job " + std::to_string(made[0].id.value)) != std::string::npos);
    CHECK(db.rows("dependency") == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred WHERE kind = 'b'") == 0);
}

TEST_CASE("a child with several parents starts after the last of them, at its own time", "[scenario][flow]") {
    const database db;
    queue jobs{db.driver()};
    const auto all = jobs.enqueue(test::notes(20)).value();
    const auto child = jobs.enqueue(letter{}, {.run_at = pgq::in(1h), .after = all}).value();
    CHECK(jobs.counts<letter>().value().blocked == 1);
    test::run_until_empty(jobs, {}, obey, [](const letter&) {});
    CHECK(db.query_int(
              "SELECT (run_at > now() + interval '50 minutes')::int FROM {s}.deferred WHERE kind = 'd' AND id = " +
              std::to_string(child.value)) == 1);
    CHECK(db.rows("tracked") == 1);
}

TEST_CASE("cancelling a blocked child does not affect its parent, and removes its dependency", "[scenario][flow]") {
    const database db;
    queue jobs{db.driver()};
    const auto made = jobs.chain(note{}).then(letter{}).enqueue().value();
    CHECK(jobs.cancel(made[1].id).value().removed == 1);
    CHECK(db.rows("dependency") == 0);
    test::run_until_empty(jobs, {}, obey, [](const letter&) {});
    CHECK(db.is_empty());
    CHECK(db.rows("tracked") == 0);
}

}  // namespace scenarios_dependencies
