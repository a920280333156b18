#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/jobs.hpp>
#include <unit/worker/faulty.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_worker_overlap {

using namespace std::chrono_literals;
using inner_session = test::faulty_session<pgq::driver::memory::session>;

namespace {

using call_log = std::vector<std::string>;

void take_time(std::chrono::milliseconds d) {
    std::mutex m;
    std::condition_variable never;
    std::unique_lock lock{m};
    (void)never.wait_for(lock, d);
}

// How slow the server and the jobs are, and the largest claim.
struct timing {
    std::chrono::milliseconds answers_after{};
    std::chrono::milliseconds job_takes{};
    std::uint32_t largest_claim = 0;
};

// Answers only in end_sync(), and records the order of the calls.
class split_session : public inner_session {
public:
    split_session(inner_session inner, std::shared_ptr<call_log> calls, std::shared_ptr<timing> speed)
        : inner_session{std::move(inner)}, calls_{std::move(calls)}, speed_{std::move(speed)} {}

    pgq::result<void> begin_sync(const pgq::sync_request& r, pgq::sync_reply& reply) {
        calls_->push_back("begin");
        speed_->largest_claim = std::max(speed_->largest_claim, r.limit);
        answer_ = sync(r, reply);
        return {};
    }
    pgq::result<void> end_sync() {
        calls_->push_back("end");
        take_time(speed_->answers_after);
        return std::exchange(answer_, {});
    }

private:
    std::shared_ptr<call_log> calls_;
    std::shared_ptr<timing> speed_;
    pgq::result<void> answer_{};
};

class split_driver {
public:
    using policy_category = pgq::driver_tag;
    using session = split_session;

    split_driver() = default;
    explicit split_driver(test::fault_plan::rule rule) : plan_{std::make_shared<test::fault_plan>(std::move(rule))} {}

    pgq::result<session> connect(pgq::session_role role) const {
        auto opened = memory_.connect(role);
        if (!opened) return opened.error();
        return session{{std::move(*opened), role, plan_}, calls, speed};
    }
    pgq::result<void> install() const { return {}; }

    std::shared_ptr<call_log> calls = std::make_shared<call_log>();
    std::shared_ptr<timing> speed = std::make_shared<timing>();

private:
    pgq::driver::memory memory_;
    std::shared_ptr<test::fault_plan> plan_ = std::make_shared<test::fault_plan>();
};
static_assert(pgq::driver_policy<split_driver> && pgq::can_overlap<split_session>);

using in_place_queue = pgq::queue<test::note, split_driver, pgq::serializer::json, pgq::executor::in_place>;
using timed_queue =
    pgq::queue<test::note, split_driver, pgq::serializer::json, pgq::executor::timeout<1h, pgq::executor::in_place>>;
using pooled_queue = pgq::queue<test::note, split_driver, pgq::serializer::json, pgq::executor::thread_pool>;

template <class Queue>
int drain(Queue& jobs, split_driver& driver, int n, std::uint32_t max_prefetch = 3) {
    (void)jobs.enqueue(std::vector<test::note>(static_cast<std::size_t>(n))).value();
    int ran = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = max_prefetch, .until = pgq::run_until::empty},
                  [&](const test::note&, pgq::context&) {
                      ++ran;
                      driver.calls->push_back("job");
                      take_time(driver.speed->job_takes);
                  }};
    w.run().value();
    return ran;
}

// The number of jobs between each "begin" and its "end".
std::vector<int> jobs_in_flight(const call_log& s) {
    std::vector<int> counts;
    bool in_flight = false;
    for (const auto& call : s) {
        if (call == "begin") counts.push_back(0);
        if (call != "job") in_flight = call == "begin";
        else if (in_flight) ++counts.back();
    }
    return counts;
}

}  // namespace

TEST_CASE("a worker with executor::in_place runs claimed jobs while its next sync is in flight", "[worker][in_place]") {
    split_driver driver;
    in_place_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 20) == 20);
    const auto counts = jobs_in_flight(*driver.calls);
    CHECK(std::count_if(counts.begin(), counts.end(), [](int n) { return n > 0; }) >= 5);
}

TEST_CASE("decorators around executor::in_place keep this overlap", "[worker][in_place]") {
    split_driver driver;
    timed_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 20) == 20);
    const auto counts = jobs_in_flight(*driver.calls);
    CHECK(std::count_if(counts.begin(), counts.end(), [](int n) { return n > 0; }) >= 5);
}

TEST_CASE("a worker with threads does not split its syncs", "[worker][in_place]") {
    split_driver driver;
    pooled_queue jobs{driver, {}, pgq::executor::thread_pool{1}};
    REQUIRE(drain(jobs, driver, 20) == 20);
    CHECK(std::find(driver.calls->begin(), driver.calls->end(), "begin") == driver.calls->end());
}

TEST_CASE("a sync whose answer is lost while jobs run in place loses no job", "[worker][in_place]") {
    const bool performed = GENERATE(false, true);
    const std::size_t nth = GENERATE(2u, 3u, 4u, 5u);
    const pgq::error_info lost{pgq::errc::connection_lost, "cut"};
    split_driver driver{test::fault_plan::at(test::verb::sync, nth, {lost, performed})};
    in_place_queue jobs{driver};
    CHECK(drain(jobs, driver, 20) >= 20);
    CHECK(jobs.counts<test::note>().value() == pgq::lane_counts{});
}

TEST_CASE("with executor::in_place a slow server does not make the jobs look slow", "[worker][in_place]") {
    split_driver driver;
    driver.speed->answers_after = 100ms;  // if jobs took that long, the worker would hold two of them at most
    in_place_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 200, 199) == 200);
    CHECK(driver.speed->largest_claim >= 4);
}

TEST_CASE("with executor::in_place a worker with long jobs holds few of them", "[worker][in_place]") {
    split_driver driver;
    driver.speed->job_takes = 25ms;
    in_place_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 50, 199) == 50);
    CHECK(driver.speed->largest_claim <= 2);
}

TEST_CASE("a job in place may stop its worker, and jobs that were claimed meanwhile go back without an attempt",
          "[worker][in_place]") {
    split_driver driver;
    in_place_queue jobs{driver};
    (void)jobs.enqueue(std::vector<test::note>(20)).value();
    std::stop_source stop;
    int ran = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 7}, [&](const test::note&, pgq::context& c) {
                      CHECK(c.attempt() == 1);
                      if (++ran == 3) stop.request_stop();
                  }};
    w.run(stop.get_token()).value();
    CHECK(ran == 3);
    CHECK(jobs.counts<test::note>().value().ready == 17);
    pgq::worker rest{jobs, pgq::worker_options{.until = pgq::run_until::empty},
                     [&](const test::note&, pgq::context& c) {
                         CHECK(c.attempt() == 1);
                         ++ran;
                     }};
    rest.run().value();
    CHECK(ran == 20);
}

}  // namespace unit_worker_overlap
