#include <pgq/driver/memory/tracked_table.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace unit_driver_memory_tracking {

using namespace pgq;
using namespace std::chrono_literals;
using driver::in_memory::parent_state, driver::in_memory::track_book, driver::in_memory::tracked_job,
    driver::in_memory::verdict, driver::in_memory::waiter;

namespace {

constexpr time_point now{1'000'000s};

/// "begin 3, hold 4": what is to become of whom.
std::string text(const std::vector<verdict>& verdicts) {
    std::string out;
    for (const auto& v : verdicts) {
        if (!out.empty()) out += ", ";
        out += v.what == verdict::kind::begin ? "begin " : v.what == verdict::kind::hold ? "hold " : "cancel ";
        out += std::to_string(v.id.value);
    }
    return out;
}

/// A book with jobs by their numbers.
struct library {
    track_book book{};

    void add(std::int64_t id, tracked_job j = {.keep = 1h}) { book.add({id}, std::move(j)); }
    void child(std::int64_t id, std::vector<std::int64_t> parents, parent_failure then = parent_failure::hold) {
        add(id, {.if_failed = then, .keep = 1h});
        for (const auto p : parents) book.make_wait({id}, {p});
    }
    std::string end(std::int64_t id, end_kind kind = end_kind::done, time_point at = now) {
        return text(book.end({.id = {id}, .kind = kind}, at));
    }
    std::optional<end_kind> kind_of(std::int64_t id) const {
        const auto* how = book.outcome({id});
        return how ? std::optional{how->kind} : std::nullopt;
    }
};

}  // namespace

TEST_CASE("a child begins with the last of its parents, at its own time", "[driver][memory][tracking]") {
    library l;
    l.add(1);
    l.add(2);
    l.child(3, {1, 2});
    l.book.find({3})->run_at = now + 1h;
    CHECK(l.book.state_of({1}) == parent_state::open);
    CHECK(l.end(1).empty());
    const auto freed = l.book.end({.id = {2}, .kind = end_kind::done}, now);
    CHECK(text(freed) == "begin 3");
    CHECK(freed.at(0).run_at == now + 1h);
    CHECK(l.book.find({1}) == nullptr);
    CHECK(l.book.find({3}) != nullptr);
}

TEST_CASE("a failure goes down the chain as each job wants it, and says why", "[driver][memory][tracking]") {
    library l;
    l.add(1);
    l.child(2, {1}, parent_failure::cancel);
    l.child(3, {2}, parent_failure::hold);
    l.child(4, {3}, parent_failure::run);
    l.child(5, {4});
    const auto verdicts = l.book.end({.id = {1}, .kind = end_kind::held}, now);
    CHECK(text(verdicts) == "cancel 2, hold 3, begin 4");
    CHECK(verdicts.at(0).reason == "it waited for job 1, which failed for good");
    CHECK(verdicts.at(1).reason == "it waited for job 2, which was cancelled");
    CHECK(l.kind_of(2) == end_kind::cancelled);
    CHECK(l.kind_of(3) == end_kind::held);
    CHECK(l.book.state_of({3}) == parent_state::failed);
    CHECK(l.end(4) == "begin 5");
}

TEST_CASE("a job that fails because of one parent waits for the others no more", "[driver][memory][tracking]") {
    library l;
    for (const auto id : {1, 2}) l.add(id);
    l.child(3, {1, 2});
    l.child(4, {1, 2}, parent_failure::run);
    l.child(5, {3, 1}, parent_failure::cancel);
    CHECK(l.end(1, end_kind::discarded) == "hold 3, cancel 5");
    CHECK(l.end(2) == "begin 4");
    CHECK(l.end(3).empty());
}

TEST_CASE("a job whose parent had failed before takes its children with it", "[driver][memory][tracking]") {
    library l;
    l.add(2, {.if_failed = parent_failure::cancel});
    l.child(3, {2});
    const auto verdicts = l.book.fail({2}, {1}, now);
    CHECK(text(verdicts) == "cancel 2, hold 3");
    CHECK(verdicts.at(0).reason == "it waited for job 1, which had not succeeded");
    CHECK(l.book.find({2}) == nullptr);
}

TEST_CASE("how a parent stands is what is known of it", "[driver][memory][tracking]") {
    library l;
    for (const auto id : {1, 2, 3, 4}) l.add(id);
    l.add(5, {});  // its outcome is not kept
    (void)l.end(2);
    (void)l.end(3, end_kind::expired);
    (void)l.end(4, end_kind::held);
    (void)l.end(5, end_kind::discarded);
    CHECK(l.book.state_of({1}) == parent_state::open);
    CHECK(l.book.state_of({2}) == parent_state::succeeded);
    CHECK(l.book.state_of({3}) == parent_state::failed);
    CHECK(l.book.state_of({4}) == parent_state::failed);
    CHECK(l.book.state_of({5}) == parent_state::succeeded);
    CHECK(l.book.state_of({99}) == parent_state::succeeded);
}

TEST_CASE("a child that is cut from its parents is none of theirs", "[driver][memory][tracking]") {
    library l;
    l.add(1);
    l.child(2, {1});
    l.book.cut({2});
    l.book.cut({99});
    CHECK(l.end(1, end_kind::cancelled).empty());
    CHECK(l.book.find({2}) != nullptr);
}

TEST_CASE("the end of a job that is not in the book means nothing", "[driver][memory][tracking]") {
    library l;
    CHECK(l.end(1).empty());
    CHECK_FALSE(l.book.knows({1}));
    CHECK(l.book.outcome({1}) == nullptr);
}

TEST_CASE("a key goes with its job, but not one for a period, nor one that another has taken since",
          "[driver][memory][tracking]") {
    library l;
    for (const auto* key : {"finished", "period", "given away"}) {
        l.add(1, {.key = key});
        l.book.take_key(key, {.job = {1}});
        if (key == std::string{"period"})
            l.book.take_key(key, {.job = {1}, .scope = unique_scope::period, .until = now + 1h});
        if (key == std::string{"given away"}) l.book.take_key(key, {.job = {2}});
        (void)l.end(1);
    }
    CHECK(l.book.holder("finished", now) == nullptr);
    REQUIRE(l.book.holder("period", now) != nullptr);
    CHECK(l.book.holder("period", now + 1h) == nullptr);
    REQUIRE(l.book.holder("given away", now) != nullptr);
    CHECK(l.book.holder("given away", now)->job == job_id{2});
    CHECK(l.book.holder("never", now) == nullptr);
}

TEST_CASE("a held job starts over unless another has its key", "[driver][memory][tracking]") {
    library l;
    l.add(1, {.key = "k", .expires_at = now, .keep = 1h});
    l.book.take_key("k", {.job = {1}});
    (void)l.end(1, end_kind::held);
    CHECK(l.book.find({1})->held);
    CHECK(l.kind_of(1) == end_kind::held);

    l.book.take_key("k", {.job = {2}});
    CHECK_FALSE(l.book.start_over({1}, now));
    CHECK(l.kind_of(1) == end_kind::held);
    l.book.take_key("k", {.job = {2}, .scope = unique_scope::period, .until = now});
    CHECK(l.book.start_over({1}, now));
    CHECK_FALSE(l.book.find({1})->held);
    CHECK(l.book.late(now + 1h).empty());
    CHECK_FALSE(l.kind_of(1).has_value());
    CHECK(l.book.holder("k", now)->job == job_id{1});
    CHECK(l.book.start_over({99}, now));
}

TEST_CASE("outcomes are forgotten when their time is over, held ones never", "[driver][memory][tracking]") {
    library l;
    for (const auto id : {1, 2}) l.add(id, {.keep = id == 1 ? duration{1s} : duration{1h}});
    l.add(3, {.keep = 1ns});
    (void)l.end(1);
    (void)l.end(2);
    (void)l.end(3, end_kind::held);
    l.book.take_key("k", {.job = {1}, .scope = unique_scope::period, .until = now + 1s});
    CHECK(l.book.forget(now) == 0);
    CHECK(l.book.forget(now + 1s) == 2);
    CHECK(l.book.outcome({1}) == nullptr);
    CHECK(l.kind_of(2) == end_kind::done);
    CHECK(l.book.forget(now + 1000h) == 1);
    CHECK(l.kind_of(3) == end_kind::held);
}

TEST_CASE("an outcome that is kept for longer than the calendar goes stays", "[driver][memory][tracking]") {
    library l;
    l.add(1, {.keep = duration::max()});
    (void)l.end(1, end_kind::done, time_point::max() - 1s);
    CHECK(l.book.forget(time_point::max() - 1us) == 0);
    CHECK(l.kind_of(1) == end_kind::done);
}

TEST_CASE("waiters are told at the end, once each, and those that are gone are no harm", "[driver][memory][tracking]") {
    library l;
    l.add(1, {});
    const auto here = std::make_shared<waiter>();
    auto gone = std::make_shared<waiter>();
    for (int i = 0; i < 3; ++i) l.book.watch({1}, 1s, here);
    l.book.watch({1}, 1h, gone);
    l.book.watch({1}, 1s, here);
    CHECK(l.book.find({1})->waiters.size() == 2);
    CHECK(l.book.find({1})->keep == 1h);
    gone.reset();
    CHECK_FALSE(here->may_go());
    (void)l.end(1);
    CHECK(here->news);
    CHECK(here->may_go());
    CHECK(l.book.forget(now + 59min) == 0);
}

TEST_CASE("late is who has not begun in time and is not held", "[driver][memory][tracking]") {
    library l;
    l.add(3, {.expires_at = now});
    l.add(1, {.expires_at = now - 1s});
    l.add(2, {.expires_at = now + 1us});
    l.add(4, {});
    l.add(5, {.expires_at = now - 1s});
    (void)l.end(5, end_kind::held);
    CHECK(l.book.late(now) == std::vector{job_id{1}, job_id{3}});
}

TEST_CASE("what was told to be done can turn out to be held", "[driver][memory][tracking]") {
    library l;
    l.add(1, {.keep = 1s});
    (void)l.end(1);
    l.book.retell({1}, "unreadable");
    l.book.retell({99}, "never was");
    CHECK(l.kind_of(1) == end_kind::held);
    CHECK(l.book.outcome({1})->reason == "unreadable");
    CHECK(l.book.forget(now + 1000h) == 0);
}

}  // namespace unit_driver_memory_tracking
