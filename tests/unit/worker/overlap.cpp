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

using story = std::vector<std::string>;

void take_time(std::chrono::milliseconds d) {
    std::mutex m;
    std::condition_variable never;
    std::unique_lock lock{m};
    (void)never.wait_for(lock, d);
}

// How slow the server and the jobs are, and the largest claim.
struct server_manners {
    std::chrono::milliseconds answers_after{};
    std::chrono::milliseconds job_takes{};
    std::uint32_t largest_claim = 0;
};

// Answers only in end_exchange(), and records the order of the calls.
class halved_session : public inner_session {
public:
    halved_session(inner_session inner, std::shared_ptr<story> said, std::shared_ptr<server_manners> manners)
        : inner_session{std::move(inner)}, said_{std::move(said)}, manners_{std::move(manners)} {}

    pgq::result<void> begin_exchange(const pgq::exchange_request& r, pgq::exchange_reply& reply) {
        said_->push_back("begin");
        manners_->largest_claim = std::max(manners_->largest_claim, r.limit);
        answer_ = exchange(r, reply);
        return {};
    }
    pgq::result<void> end_exchange() {
        said_->push_back("end");
        take_time(manners_->answers_after);
        return std::exchange(answer_, {});
    }

private:
    std::shared_ptr<story> said_;
    std::shared_ptr<server_manners> manners_;
    pgq::result<void> answer_{};
};

class halved {
public:
    using policy_category = pgq::driver_tag;
    using session = halved_session;

    halved() = default;
    explicit halved(test::fault_plan::rule rule) : plan_{std::make_shared<test::fault_plan>(std::move(rule))} {}

    pgq::result<session> connect(pgq::session_role role) const {
        auto opened = memory_.connect(role);
        if (!opened) return opened.error();
        return session{{std::move(*opened), role, plan_}, said, manners};
    }
    pgq::result<void> install() const { return {}; }

    std::shared_ptr<story> said = std::make_shared<story>();
    std::shared_ptr<server_manners> manners = std::make_shared<server_manners>();

private:
    pgq::driver::memory memory_;
    std::shared_ptr<test::fault_plan> plan_ = std::make_shared<test::fault_plan>();
};
static_assert(pgq::driver_policy<halved> && pgq::can_overlap<halved_session>);

using in_place_queue = pgq::queue<test::note, halved, pgq::serializer::json, pgq::executor::in_place>;
using timed_queue =
    pgq::queue<test::note, halved, pgq::serializer::json, pgq::executor::timeout<1h, pgq::executor::in_place>>;
using pooled_queue = pgq::queue<test::note, halved, pgq::serializer::json, pgq::executor::thread_pool>;

template <class Queue>
int drain(Queue& jobs, halved& driver, int n, std::uint32_t max_prefetch = 3) {
    (void)jobs.enqueue(std::vector<test::note>(static_cast<std::size_t>(n))).value();
    int ran = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = max_prefetch, .until = pgq::run_until::empty},
                  [&](const test::note&, pgq::context&) {
                      ++ran;
                      driver.said->push_back("job");
                      take_time(driver.manners->job_takes);
                  }};
    w.run().value();
    return ran;
}

// The number of jobs between each "begin" and its "end".
std::vector<int> jobs_in_flight(const story& s) {
    std::vector<int> counts;
    bool flies = false;
    for (const auto& word : s) {
        if (word == "begin") counts.push_back(0);
        if (word != "job") flies = word == "begin";
        else if (flies) ++counts.back();
    }
    return counts;
}

}  // namespace

TEST_CASE("a worker with executor::in_place runs claimed jobs while its next sync is in flight", "[worker][in_place]") {
    halved driver;
    in_place_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 20) == 20);
    const auto counts = jobs_in_flight(*driver.said);
    CHECK(std::count_if(counts.begin(), counts.end(), [](int n) { return n > 0; }) >= 5);
}

TEST_CASE("decorators around executor::in_place keep this overlap", "[worker][in_place]") {
    halved driver;
    timed_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 20) == 20);
    const auto counts = jobs_in_flight(*driver.said);
    CHECK(std::count_if(counts.begin(), counts.end(), [](int n) { return n > 0; }) >= 5);
}

TEST_CASE("a worker with threads does not split its syncs", "[worker][in_place]") {
    halved driver;
    pooled_queue jobs{driver, {}, pgq::executor::thread_pool{1}};
    REQUIRE(drain(jobs, driver, 20) == 20);
    CHECK(std::find(driver.said->begin(), driver.said->end(), "begin") == driver.said->end());
}

TEST_CASE("a sync whose answer is lost while jobs run in place loses no job", "[worker][in_place]") {
    const bool performed = GENERATE(false, true);
    const std::size_t nth = GENERATE(2u, 3u, 4u, 5u);
    const pgq::error_info lost{pgq::errc::connection_lost, "cut"};
    halved driver{test::fault_plan::at(test::verb::exchange, nth, {lost, performed})};
    in_place_queue jobs{driver};
    CHECK(drain(jobs, driver, 20) >= 20);
    CHECK(jobs.counts<test::note>().value() == pgq::lane_counts{});
}

TEST_CASE("with executor::in_place a slow server does not make the jobs look slow", "[worker][in_place]") {
    halved driver;
    driver.manners->answers_after = 30ms;
    in_place_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 200, 199) == 200);
    CHECK(driver.manners->largest_claim >= 32);
}

TEST_CASE("with executor::in_place a worker with long jobs holds few of them", "[worker][in_place]") {
    halved driver;
    driver.manners->job_takes = 25ms;
    in_place_queue jobs{driver};
    REQUIRE(drain(jobs, driver, 50, 199) == 50);
    CHECK(driver.manners->largest_claim <= 2);
}

TEST_CASE("a job in place may stop its worker, and jobs that were claimed meanwhile go back without an attempt",
          "[worker][in_place]") {
    halved driver;
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
