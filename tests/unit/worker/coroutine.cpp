#include <pgq/config.hpp>

#if PGQ_HAS_COROUTINES

#include <pgq/driver/memory.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace unit_worker_coroutine {

namespace coroutine_jobs {

struct fetch {
    static constexpr std::string_view entrypoint = "fetch";
    std::string url{};
};
struct count {
    static constexpr std::string_view entrypoint = "count";
    using result = int;
    int number = 0;
};

}  // namespace coroutine_jobs

}  // namespace unit_worker_coroutine

BOOST_HANA_ADAPT_STRUCT(unit_worker_coroutine::coroutine_jobs::fetch, url);
BOOST_HANA_ADAPT_STRUCT(unit_worker_coroutine::coroutine_jobs::count, number);

namespace unit_worker_coroutine {

using namespace std::chrono_literals;
using coroutine_jobs::count, coroutine_jobs::fetch;

namespace {

using queue = pgq::queue<fetch, count, pgq::driver::memory, pgq::serializer::json, pgq::executor::coroutine>;

asio::awaitable<void> a_moment() {
    asio::steady_timer timer{co_await asio::this_coro::executor, 1ms};
    co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

TEST_CASE("several coroutine handlers of one worker are suspended at once", "[worker][coroutine]") {
    queue jobs{{}, {}, pgq::executor::coroutine{16}};
    jobs.enqueue(std::vector<fetch>(100, fetch{"https://example.org/a path that is too long to be stored in place"}))
        .value();
    jobs.enqueue(std::vector<count>(100)).value();
    std::atomic<int> inside{0}, most{0}, fetched{0}, counted{0};
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty},
                  [&](const fetch& f) -> asio::awaitable<void> {
                      const int now = ++inside;
                      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {}
                      co_await a_moment();
                      fetched += f.url.size() > 40;
                      --inside;
                  },
                  [&](const count& c, pgq::context& ctx) -> asio::awaitable<int> {
                      co_await a_moment();
                      counted += ctx.attempt();
                      co_return c.number;
                  }};
    w.run().value();
    CHECK(fetched == 100);
    CHECK(counted == 100);
    CHECK(most > 1);
    CHECK(most <= 16);
}

TEST_CASE("an exception or an outcome of a coroutine handler after a suspension counts like any other",
          "[worker][coroutine]") {
    queue jobs;
    jobs.enqueue(fetch{"x"}).value();
    jobs.enqueue(count{}).value();
    pgq::worker w{jobs, pgq::worker_options{.max_attempts = 1, .until = pgq::run_until::empty},
                  [](const fetch&) -> asio::awaitable<void> {
                      co_await a_moment();
                      throw std::runtime_error{"no such host"};
                  },
                  [](const count&) -> asio::awaitable<pgq::outcome> {
                      co_await a_moment();
                      co_return pgq::hold{"for a person"};
                  }};
    w.run().value();
    const auto failed = jobs.held<fetch>().value();
    REQUIRE(failed.size() == 1);
    CHECK(failed[0].reason == "attempt 1 of 1 failed: no such host");
    const auto kept = jobs.held<count>().value();
    REQUIRE(kept.size() == 1);
    CHECK(kept[0].reason == "for a person");
}

TEST_CASE("a coroutine handler gets a batch, which stays valid while the handler is suspended",
          "[worker][coroutine][batch]") {
    queue jobs;
    jobs.enqueue(std::vector<fetch>(50, fetch{"https://example.org/a path that is too long to be stored in place"}))
        .value();
    jobs.enqueue(std::vector<count>(10)).value();
    std::atomic<std::size_t> fetched{0}, counted{0};
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty},
                  [&](std::span<const fetch> some, pgq::batch_context& c) -> asio::awaitable<pgq::outcomes> {
                      co_await a_moment();
                      pgq::outcomes each;
                      for (std::size_t i = 0; i < some.size(); ++i) {
                          fetched += some[i].url.size() > 40 && c[i].attempt() == 1;
                          each.emplace_back(i == 0 ? pgq::outcome{pgq::hold{"the first"}} : pgq::outcome{});
                      }
                      co_return each;
                  },
                  [&](std::span<const count> some) -> asio::awaitable<void> {
                      co_await a_moment();
                      counted += some.size();
                  }};
    w.run().value();
    CHECK(fetched == 50);
    CHECK(counted == 10);
    CHECK(jobs.held<fetch>().value().size() >= 1);
    CHECK(jobs.counts<fetch>().value().ready == 0);
}

#endif

}  // namespace unit_worker_coroutine
