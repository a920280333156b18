#include <pgq/async_wait.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/bind_executor.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/error.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace integration_asio_wait {

namespace app {
struct sum {
    std::int64_t value = 0;
};
struct addition {
    static constexpr std::string_view entrypoint = "addition";
    using result = sum;
    std::int64_t a = 0, b = 0;
};
}  // namespace app

}  // namespace integration_asio_wait

BOOST_HANA_ADAPT_STRUCT(integration_asio_wait::app::sum, value);
BOOST_HANA_ADAPT_STRUCT(integration_asio_wait::app::addition, a, b);

namespace integration_asio_wait {

using namespace std::chrono_literals;

namespace {

template <class Driver>
using adder = pgq::queue<app::addition, Driver, pgq::serializer::json, pgq::executor::in_place>;

app::sum add(const app::addition& j) {
    if (j.a < 0) throw std::runtime_error{"no negative numbers"};
    return {j.a + j.b};
}
template <class Queue>
void run_until_empty(Queue& jobs) {
    pgq::worker w{jobs, pgq::worker_options{.max_attempts = 1, .until = pgq::run_until::empty}, add};
    w.run().value();
}

}  // namespace

TEMPLATE_TEST_CASE("Asio can wait for a handle with any driver", "[integration][asio][completion]", pgq::driver::libpq,
                   pgq::driver::memory) {
    const test::database db;
    const auto driver = [&] {
        if constexpr (std::is_same_v<TestType, pgq::driver::memory>) return pgq::driver::memory{};
        else return db.driver();
    };
    test::running_context context;
    adder<TestType> jobs{driver()};
    const auto good = jobs.enqueue(app::addition{2, 3}).value();
    const auto bad = jobs.enqueue(app::addition{-1, 3}).value();
    const auto both = jobs.enqueue(std::vector<app::addition>{{1, 1}, {2, 2}}).value();
    test::outcome<app::sum> sum, none;
    test::outcome<pgq::ended_job> end;
    test::outcome<std::vector<pgq::ended_job>> ends;
    const auto here = [&](auto handler) { return asio::bind_executor(context.executor(), std::move(handler)); };
    pgq::async_get(good, 20s, here(sum.handler()));
    pgq::async_get(bad, 20s, here(none.handler()));
    pgq::async_wait(bad, 20s, here(end.handler()));
    pgq::async_wait_all(both, 20s, here(ends.handler()));
    CHECK_FALSE(sum.comes_within(20ms));
    run_until_empty(jobs);
    const auto [failed, value] = sum.get();
    CHECK_FALSE(failed);
    CHECK(value.value == 5);
    CHECK(none.error() == pgq::errc::job_not_done);
    const auto [no, how] = end.get();
    CHECK_FALSE(no);
    CHECK(how.kind == pgq::end_kind::held);
    CHECK(how.reason.find("no negative numbers") != std::string::npos);
    const auto [neither, all] = ends.get();
    CHECK_FALSE(neither);
    REQUIRE(all.size() == 2);
    CHECK(all[0].id == both[0]);
    CHECK(all[1].id == both[1]);
    test::outcome<app::sum> later;  // the job ended before the wait
    pgq::async_get(good, 20s, here(later.handler()));
    CHECK(std::get<1>(later.get()).value == 5);
}

TEST_CASE("an Asio wait ends at its deadline, when it is cancelled, and when its queue is destroyed",
          "[integration][asio][completion]") {
    const test::database db;
    test::running_context context;
    auto jobs = std::make_unique<adder<pgq::driver::libpq>>(db.driver());
    const auto job = jobs->enqueue(app::addition{1, 2}).value();
    test::outcome<pgq::ended_job> late, cancelled, left;
    asio::cancellation_signal stop;
    pgq::async_wait(job, 50ms, late.handler());
    CHECK(late.error() == pgq::errc::timeout);
    pgq::async_wait(
        job, 1h,
        asio::bind_cancellation_slot(stop.slot(), asio::bind_executor(context.executor(), cancelled.handler())));
    CHECK_FALSE(cancelled.comes_within(20ms));
    asio::post(context.executor(), [&] { stop.emit(asio::cancellation_type::all); });
    CHECK(cancelled.error() == asio::error::operation_aborted);
    pgq::async_wait(job, 1h, left.handler());
    jobs.reset();
    CHECK(left.error() == pgq::errc::closed);
}

TEST_CASE("hundreds of Asio waits and waiting threads share one connection", "[integration][asio][completion]") {
    const test::database db;
    test::running_context context;
    adder<pgq::driver::libpq> jobs{db.driver()};
    std::vector<app::addition> many;
    for (int i = 0; i < 300; ++i) many.push_back({i, 1});
    const auto handles = jobs.enqueue(many).value();
    std::vector<test::outcome<app::sum>> sums(many.size());
    for (std::size_t i = 0; i < sums.size(); ++i)
        pgq::async_get(handles(i), 60s, asio::bind_executor(context.executor(), sums[i].handler()));
    auto blocking = std::async(std::launch::async, [&] { return handles(7).get(60s).value().value; });
    CHECK(test::eventually([&] { return db.count_sessions() <= 4; }));
    run_until_empty(jobs);
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const auto [failed, sum] = sums[i].get();
        CHECK_FALSE(failed);
        CHECK(sum.value == static_cast<std::int64_t>(i) + 1);
    }
    CHECK(blocking.get() == 8);
}

#if PGQ_HAS_COROUTINES
TEST_CASE("a coroutine waits for a job with co_await", "[integration][asio][completion]") {
    const test::database db;
    asio::io_context context;
    adder<pgq::driver::libpq> jobs{db.driver()};
    std::int64_t seen = 0;
    const auto body = [&]() -> asio::awaitable<void> {
        const auto h = jobs.enqueue(app::addition{20, 22}).value();
        run_until_empty(jobs);
        const app::sum s = co_await pgq::async_get(h, 20s, asio::use_awaitable);
        seen = s.value;
    };
    asio::co_spawn(context, body, [](const std::exception_ptr& e) { CHECK_FALSE(e); });
    context.run();
    CHECK(seen == 42);
}
#endif

}  // namespace integration_asio_wait
