#include "../../examples/notification_threads.hpp"

#include <pgq/backoff/none.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/testing/laws/executor.hpp>

#if PGQ_HAS_COROUTINES
#include <asio/thread_pool.hpp>
#endif
#include "support/catch.hpp"

#include <chrono>
#include <cstddef>

namespace laws_executor {

using namespace pgq;

TEST_CASE("executor::in_place keeps the executor laws", "[executor][laws]") {
    laws::check_executor<executor::in_place>([] { return executor::in_place{}; });
}

TEST_CASE("executor::thread_pool keeps the executor laws", "[executor][laws]") {
    const std::size_t threads = GENERATE(as<std::size_t>{}, 0, 1, 2, 7);
    laws::check_executor<executor::thread_pool>([threads] { return executor::thread_pool{threads}; });
}

TEST_CASE("decorated executors keep the executor laws", "[executor][laws]") {
    using std::chrono::seconds;
    SECTION("retrying") {
        using decorated = executor::retrying<executor::thread_pool, backoff::none>;
        laws::check_executor<decorated>([] { return decorated{executor::thread_pool{3}}; });
    }
    SECTION("timeout around retrying") {
        using decorated = executor::timeout<seconds{1}, executor::retrying<executor::in_place, backoff::none>>;
        laws::check_executor<decorated>([] { return decorated{}; });
    }
    SECTION("process") {
        laws::check_executor<executor::process>([] { return executor::process{executor::thread_pool{2}}; });
    }
}

TEST_CASE("the executor of an example keeps the executor laws", "[executor][laws]") {
    const std::size_t threads = GENERATE(as<std::size_t>{}, 1, 3);
    laws::check_executor<app::notification_threads>([threads] { return app::notification_threads{threads}; });
}

#if PGQ_HAS_COROUTINES

TEST_CASE("executor::coroutine with its own threads keeps the executor laws", "[executor][laws]") {
    const std::size_t concurrency = GENERATE(as<std::size_t>{}, 1, 2, 64);
    const std::size_t threads = GENERATE(as<std::size_t>{}, 1, 3);
    laws::check_executor<executor::coroutine>([=] { return executor::coroutine{concurrency, threads}; });
}

TEST_CASE("executor::coroutine on the program's executor keeps the executor laws", "[executor][laws]") {
    asio::thread_pool users{4};
    const std::size_t concurrency = GENERATE(as<std::size_t>{}, 1, 2, 64);
    laws::check_executor<executor::coroutine>([&users, concurrency] {
        return executor::coroutine{users.get_executor(), concurrency};
    });
    users.join();
}

#endif

}  // namespace laws_executor
