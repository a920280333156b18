#include <pgq/driver/memory/table/tracked_table.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace unit_driver_memory_table_tracked_table {

using namespace pgq;
using namespace std::chrono_literals;
using driver::in_memory::parent_state, driver::in_memory::tracked_job, driver::in_memory::tracked_table,
    driver::in_memory::unblock_action, driver::in_memory::waiter;

namespace {

constexpr time_point now{1'000'000s};

/// For example "begin 3, hold 4".
std::string text(const std::vector<unblock_action>& actions) {
    std::string out;
    for (const auto& a : actions) {
        if (!out.empty()) out += ", ";
        out += a.what == unblock_action::kind::begin  ? "begin "
               : a.what == unblock_action::kind::hold ? "hold "
                                                      : "cancel ";
        out += std::to_string(a.id.value);
    }
    return out;
}

/// A table, and jobs by their numbers.
struct fixture {
    tracked_table table{};

    void add(std::int64_t id, tracked_job j = {.keep_outcome = 1h}) { table.add({id}, std::move(j)); }
    void child(std::int64_t id, std::vector<std::int64_t> parents, parent_failure then = parent_failure::hold) {
        add(id, {.if_parent_fails = then, .keep_outcome = 1h});
        for (const auto p : parents) table.add_dependency({id}, {p});
    }
    std::string end(std::int64_t id, end_kind kind = end_kind::done, time_point at = now) {
        return text(table.end({.id = {id}, .kind = kind}, at));
    }
    std::optional<end_kind> kind_of(std::int64_t id) const {
        const auto* how = table.outcome({id});
        return how ? std::optional{how->kind} : std::nullopt;
    }
};

}  // namespace

TEST_CASE("a child begins when its last parent ends, at its own run time", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1);
    f.add(2);
    f.child(3, {1, 2});
    f.table.find({3})->run_at = now + 1h;
    CHECK(f.table.state_of({1}) == parent_state::open);
    CHECK(f.end(1).empty());
    const auto freed = f.table.end({.id = {2}, .kind = end_kind::done}, now);
    CHECK(text(freed) == "begin 3");
    CHECK(freed.at(0).run_at == now + 1h);
    CHECK(f.table.find({1}) == nullptr);
    CHECK(f.table.find({3}) != nullptr);
}

TEST_CASE("a failure passes to the children as their options say, with the reason", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1);
    f.child(2, {1}, parent_failure::cancel);
    f.child(3, {2}, parent_failure::hold);
    f.child(4, {3}, parent_failure::run);
    f.child(5, {4});
    const auto actions = f.table.end({.id = {1}, .kind = end_kind::held}, now);
    CHECK(text(actions) == "cancel 2, hold 3, begin 4");
    CHECK(actions.at(0).reason == "it waited for job 1, which failed for good");
    CHECK(actions.at(1).reason == "it waited for job 2, which was cancelled");
    CHECK(f.kind_of(2) == end_kind::cancelled);
    CHECK(f.kind_of(3) == end_kind::held);
    CHECK(f.table.state_of({3}) == parent_state::failed);
    CHECK(f.end(4) == "begin 5");
}

TEST_CASE("a job that fails because of one parent no longer waits for the others", "[driver][memory][tracked_table]") {
    fixture f;
    for (const auto id : {1, 2}) f.add(id);
    f.child(3, {1, 2});
    f.child(4, {1, 2}, parent_failure::run);
    f.child(5, {3, 1}, parent_failure::cancel);
    CHECK(f.end(1, end_kind::discarded) == "hold 3, cancel 5");
    CHECK(f.end(2) == "begin 4");
    CHECK(f.end(3).empty());
}

TEST_CASE("when a parent had failed before the enqueue, the job and its children fail",
          "[driver][memory][tracked_table]") {
    fixture f;
    f.add(2, {.if_parent_fails = parent_failure::cancel});
    f.child(3, {2});
    const auto actions = f.table.fail_blocked({2}, {1}, now);
    CHECK(text(actions) == "cancel 2, hold 3");
    CHECK(actions.at(0).reason == "it waited for job 1, which had not succeeded");
    CHECK(f.table.find({2}) == nullptr);
}

TEST_CASE("a parent's state comes from the table and the stored outcomes", "[driver][memory][tracked_table]") {
    fixture f;
    for (const auto id : {1, 2, 3, 4}) f.add(id);
    f.add(5, {});  // no stored outcome
    (void)f.end(2);
    (void)f.end(3, end_kind::expired);
    (void)f.end(4, end_kind::held);
    (void)f.end(5, end_kind::discarded);
    CHECK(f.table.state_of({1}) == parent_state::open);
    CHECK(f.table.state_of({2}) == parent_state::succeeded);
    CHECK(f.table.state_of({3}) == parent_state::failed);
    CHECK(f.table.state_of({4}) == parent_state::failed);
    CHECK(f.table.state_of({5}) == parent_state::succeeded);
    CHECK(f.table.state_of({99}) == parent_state::succeeded);
}

TEST_CASE("a child without its parents is not affected by their ends", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1);
    f.child(2, {1});
    f.table.remove_parents({2});
    f.table.remove_parents({99});
    CHECK(f.end(1, end_kind::cancelled).empty());
    CHECK(f.table.find({2}) != nullptr);
}

TEST_CASE("the end of a job that is not tracked does nothing", "[driver][memory][tracked_table]") {
    fixture f;
    CHECK(f.end(1).empty());
    CHECK_FALSE(f.table.contains({1}));
    CHECK(f.table.outcome({1}) == nullptr);
}

TEST_CASE("the end of a job frees its key, but not a key for a period or one that another job took",
          "[driver][memory][tracked_table]") {
    fixture f;
    for (const auto* key : {"finished", "period", "given away"}) {
        f.add(1, {.key = key});
        f.table.set_holder(key, {.job = {1}});
        if (key == std::string{"period"})
            f.table.set_holder(key, {.job = {1}, .scope = unique_scope::period, .until = now + 1h});
        if (key == std::string{"given away"}) f.table.set_holder(key, {.job = {2}});
        (void)f.end(1);
    }
    CHECK(f.table.find_holder("finished", now) == nullptr);
    REQUIRE(f.table.find_holder("period", now) != nullptr);
    CHECK(f.table.find_holder("period", now + 1h) == nullptr);
    REQUIRE(f.table.find_holder("given away", now) != nullptr);
    CHECK(f.table.find_holder("given away", now)->job == job_id{2});
    CHECK(f.table.find_holder("never", now) == nullptr);
}

TEST_CASE("a held job restarts unless another job has its key", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1, {.key = "k", .expires_at = now, .keep_outcome = 1h});
    f.table.set_holder("k", {.job = {1}});
    (void)f.end(1, end_kind::held);
    CHECK(f.table.find({1})->held);
    CHECK(f.kind_of(1) == end_kind::held);

    f.table.set_holder("k", {.job = {2}});
    CHECK_FALSE(f.table.restart({1}, now));
    CHECK(f.kind_of(1) == end_kind::held);
    f.table.set_holder("k", {.job = {2}, .scope = unique_scope::period, .until = now});
    CHECK(f.table.restart({1}, now));
    CHECK_FALSE(f.table.find({1})->held);
    CHECK(f.table.take_expired(now + 1h).empty());
    CHECK_FALSE(f.kind_of(1).has_value());
    CHECK(f.table.find_holder("k", now)->job == job_id{1});
    CHECK(f.table.restart({99}, now));
}

TEST_CASE("purge removes outcomes after their time, but never those of held jobs", "[driver][memory][tracked_table]") {
    fixture f;
    for (const auto id : {1, 2}) f.add(id, {.keep_outcome = id == 1 ? duration{1s} : duration{1h}});
    f.add(3, {.keep_outcome = 1ns});
    (void)f.end(1);
    (void)f.end(2);
    (void)f.end(3, end_kind::held);
    f.table.set_holder("k", {.job = {1}, .scope = unique_scope::period, .until = now + 1s});
    f.table.set_request("r", {{.id = {1}}}, now + 1s);
    CHECK(f.table.purge(now + 1s - 1us) == 0);
    CHECK(f.table.find_request("r", now) != nullptr);
    CHECK(f.table.purge(now + 1s) == 3);
    CHECK(f.table.find_request("r", now) == nullptr);
    CHECK(f.table.outcome({1}) == nullptr);
    CHECK(f.kind_of(2) == end_kind::done);
    CHECK(f.table.purge(now + 1000h) == 1);
    CHECK(f.kind_of(3) == end_kind::held);
}

TEST_CASE("an outcome whose time exceeds the calendar stays", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1, {.keep_outcome = duration::max()});
    (void)f.end(1, end_kind::done, time_point::max() - 1s);
    CHECK(f.table.purge(time_point::max() - 1us) == 0);
    CHECK(f.kind_of(1) == end_kind::done);
}

TEST_CASE("the end of a job notifies each waiter once and skips expired waiters", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1, {});
    const auto here = std::make_shared<waiter>();
    auto gone = std::make_shared<waiter>();
    for (int i = 0; i < 3; ++i) f.table.watch({1}, 1s, here);
    f.table.watch({1}, 1h, gone);
    f.table.watch({1}, 1s, here);
    CHECK(f.table.find({1})->waiters.size() == 2);
    CHECK(f.table.find({1})->keep_outcome == 1h);
    gone.reset();
    CHECK_FALSE(here->must_return());
    (void)f.end(1);
    CHECK(here->job_changed);
    CHECK(here->must_return());
    CHECK(f.table.purge(now + 59min) == 0);
}

TEST_CASE("expired jobs are those past their time that are not held", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(3, {.expires_at = now});
    f.add(1, {.expires_at = now - 1s});
    f.add(2, {.expires_at = now + 1us});
    f.add(4, {});
    f.add(5, {.expires_at = now - 1s});
    (void)f.end(5, end_kind::held);
    CHECK(f.table.take_expired(now) == std::vector{job_id{1}, job_id{3}});
}

TEST_CASE("an outcome can change from done to held", "[driver][memory][tracked_table]") {
    fixture f;
    f.add(1, {.keep_outcome = 1s});
    (void)f.end(1);
    f.table.change_to_held({1}, "unreadable");
    f.table.change_to_held({99}, "never was");
    CHECK(f.kind_of(1) == end_kind::held);
    CHECK(f.table.outcome({1})->reason == "unreadable");
    CHECK(f.table.purge(now + 1000h) == 0);
}

}  // namespace unit_driver_memory_table_tracked_table
