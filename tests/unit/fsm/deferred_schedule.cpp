#include <pgq/fsm/deferred_schedule.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <optional>

namespace unit_fsm_deferred_schedule {

using namespace std::chrono_literals;
using pgq::steady_time;
using pgq::fsm::deferred_schedule;

namespace {
constexpr steady_time begin{1h};
}

TEST_CASE("a deferred job is due at the time that the database has said", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    CHECK_FALSE(d.due(begin + 24h));
    d.peeked(10s, begin);
    CHECK_FALSE(d.due(begin + 10s - 1ms));
    CHECK(d.due_soon(begin + 10s - 1ms));
    CHECK(d.due(begin + 10s));
    CHECK(d.until(1h, begin) == 10s);
    d.peeked(std::nullopt, begin);
    CHECK_FALSE(d.due(begin + 24h));
    CHECK(d.until(1h, begin) == 1h);
}

TEST_CASE("a worker wakes up for a deferred job within a day, and after a millisecond at the earliest",
          "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    d.peeked(-5s, begin);
    CHECK_FALSE(d.due(begin));
    CHECK(d.due(begin + 1ms));
    d.peeked(pgq::duration::max(), begin);
    CHECK(d.until(pgq::duration::max(), begin) == 24h);
}

TEST_CASE("a job that this worker defers counts, unless another one is due before", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    d.deferred_for(20s, begin);
    CHECK(d.until(1h, begin) == 20s);
    d.deferred_for(30s, begin);
    CHECK(d.until(1h, begin) == 20s);
    d.deferred_for(5s, begin);
    CHECK(d.until(1h, begin) == 5s);
    d.deferred_for(pgq::duration::max(), begin + 1s);
    CHECK(d.until(1h, begin) == 5s);
}

TEST_CASE("after promoting a worker peeks again at the next due time", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    d.promoted(begin);
    CHECK(d.due(begin));
}

TEST_CASE("a busy worker may peek four times a second", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    CHECK(d.may_peek(begin));
    d.peeked(std::nullopt, begin);
    CHECK_FALSE(d.may_peek(begin + 249ms));
    CHECK(d.may_peek(begin + 250ms));
}

TEST_CASE("a postponed peek is due after its time, and made by any peek", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    d.postpone_peek(2ms, begin);
    CHECK(d.peek_with_sync(begin));
    CHECK_FALSE(d.must_peek(begin + 1ms));
    CHECK(d.must_peek(begin + 2ms));
    CHECK(d.until(1h, begin) == 2ms);
    d.peeked(std::nullopt, begin + 2ms);
    CHECK_FALSE(d.peek_with_sync(begin));
}

TEST_CASE("a peek is postponed to the next promotion if that is soon", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    d.peeked(21ms, begin);
    d.postpone_peek(2ms, begin);
    CHECK(d.peek_with_sync(begin));
    CHECK(d.must_peek(begin + 2ms));
    d.peeked(20ms, begin);
    CHECK_FALSE(d.peek_with_sync(begin));
    d.postpone_peek(2ms, begin);
    CHECK_FALSE(d.peek_with_sync(begin));
    CHECK_FALSE(d.must_peek(begin + 19ms));
    CHECK(d.must_peek(begin + 20ms));
    CHECK(d.peek_with_sync(begin + 20ms));
    CHECK(d.due(begin + 20ms));
}

TEST_CASE("a new session knows of no deferred job", "[fsm][deferred_schedule]") {
    deferred_schedule d{250ms};
    d.peeked(10s, begin);
    d.postpone_peek(2ms, begin);
    d.forget();
    CHECK(d.until(1h, begin) == 1h);
    CHECK_FALSE(d.peek_with_sync(begin));
    CHECK(d.may_peek(begin));
}

}  // namespace unit_fsm_deferred_schedule
