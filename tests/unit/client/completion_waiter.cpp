#include <pgq/client/completion_waiter.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace unit_client_completion_waiter {

namespace {

using namespace std::chrono_literals;
using pgq::ended_job;
using pgq::job_id;
using pgq::detail::completion_waiter;

const pgq::steady_time now{1h};
const std::vector<job_id> three{{3}, {1}, {2}};

std::vector<job_id> sorted() { return {{1}, {2}, {3}}; }
ended_job done(std::int64_t id) { return {.id = {id}, .kind = pgq::end_kind::done}; }

}  // namespace

TEST_CASE("a waiter is answered when all its jobs have ended, in the order of the call", "[client][completion]") {
    completion_waiter w{three, now + 1min, {}, now};
    CHECK_FALSE(w.was_asked());
    w.update(sorted(), std::vector{done(2), done(3)});
    CHECK(w.was_asked());
    CHECK_FALSE(w.is_answered());
    REQUIRE(w.open().size() == 1);
    CHECK(w.open()[0] == job_id{1});
    w.update(std::vector<job_id>{{1}}, std::vector{done(1)});
    CHECK(w.is_answered());
    const auto all = w.answer({}).value();
    REQUIRE(all.size() == 3);
    for (std::size_t i = 0; i < 3; ++i) CHECK(all[i].id == three[i]);
}

TEST_CASE("a job that is named twice is answered twice", "[client][completion]") {
    completion_waiter w{std::vector<job_id>{{1}, {1}}, now, {}, now};
    w.update(std::vector<job_id>{{1}}, std::vector{done(1)});
    CHECK(w.answer({}).value().size() == 2);
}

TEST_CASE("a waiter whose jobs were not part of the question has not been asked for", "[client][completion]") {
    completion_waiter w{three, now + 1min, {}, now};
    w.update(std::vector<job_id>{{1}, {2}}, {});
    CHECK_FALSE(w.was_asked());
}

TEST_CASE("a call after its deadline waits 5 s for the first answer of the database", "[client][completion]") {
    completion_waiter w{three, now - 1h, {}, now};
    CHECK_FALSE(w.is_over(now + 4s, false));
    CHECK(w.is_over(now + 4s, true));  // the database cannot be asked
    CHECK(w.is_over(now + 5s, false));
    w.update(sorted(), {});
    CHECK(w.is_over(now, false));
}

TEST_CASE("a call with little time waits a second for the first answer, and one with more keeps its deadline",
          "[client][completion]") {
    CHECK(completion_waiter{three, now + 10ms, {}, now}.until(false) == now + 1s);
    CHECK(completion_waiter{three, now + 2s, {}, now}.until(false) == now + 2s);
}

TEST_CASE("a wait that is over says how many jobs have not ended, or why the database was not asked",
          "[client][completion]") {
    completion_waiter w{three, now + 1min, {}, now};
    w.update(sorted(), std::vector{done(2)});
    CHECK_FALSE(w.is_over(now + 59s, false));
    CHECK(w.is_over(now + 1min, false));
    const auto late = w.answer({}).error();
    CHECK(late == pgq::errc::timeout);
    CHECK(late.message == "2 of 3 jobs have not ended in time");
    CHECK(w.answer(pgq::error_info{pgq::errc::connection_lost}).error() == pgq::errc::connection_lost);
}

TEST_CASE("a refused waiter is over at once, whatever has ended", "[client][completion]") {
    completion_waiter w{three, now + 1min, {}, now};
    w.refuse({pgq::errc::closed, "gone"});
    CHECK(w.is_over(now, false));
    CHECK(w.answer({}).error() == pgq::errc::closed);
}

}  // namespace unit_client_completion_waiter
