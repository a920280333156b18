// run:
// A coroutine waits for the result of a job. The thread is free meanwhile.

#include <pgq/asio.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/serializer/json.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stop_token>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;

namespace app {
struct share {
    std::int64_t whole = 0;
    std::int64_t rest = 0;
};
struct division {
    static constexpr std::string_view entrypoint = "division";
    using result = share;
    std::int64_t number = 0;
    std::int64_t by = 1;
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::share, whole, rest);
BOOST_HANA_ADAPT_STRUCT(app::division, number, by);

using app_queue = pgq::queue<app::division, pgq::driver::memory, pgq::serializer::json>;

asio::awaitable<void> divide(app_queue& jobs) {
    const auto h = jobs.enqueue(app::division{17, 5}).value();
    const app::share s = co_await pgq::async_get(h, 10s, asio::use_awaitable);
    std::printf("17 / 5 is %d, rest %d\n", static_cast<int>(s.whole), static_cast<int>(s.rest));
}

int main() {
    app_queue jobs;
    pgq::worker w{jobs, [](const app::division& d) { return app::share{d.number / d.by, d.number % d.by}; }};
    std::jthread worker{[&](std::stop_token stop) { w.run(stop).value(); }};  // in another process, in most programs

    asio::io_context context;
    int status = 0;
    asio::co_spawn(context, divide(jobs), [&](const std::exception_ptr& failed) { status = failed ? 1 : 0; });
    context.run();
    return status;
}
