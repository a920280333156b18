// run:
// A coroutine handler that is cancelled while it waits. Its job ends as cancelled.

#include <pgq/asio.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/serializer/json.hpp>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <cstdio>
#include <latch>
#include <memory>
#include <stop_token>
#include <string_view>
#include <system_error>
#include <thread>

using namespace std::chrono_literals;

namespace app {
struct task {
    static constexpr std::string_view entrypoint = "task";
    int minutes = 0;
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::task, minutes);

using app_queue = pgq::queue<app::task, pgq::driver::memory, pgq::serializer::json, pgq::executor::coroutine>;

std::latch waiting{1};

// Waits, but not longer than until the stop token fires. The token fires on another thread, so its callback posts what
// it does. That may run after the wait has ended: it shares the timer. The context has one thread; with more, a timer
// needs a strand.
asio::awaitable<void> wait(std::chrono::steady_clock::duration d, std::stop_token stop) {
    const auto executor = co_await asio::this_coro::executor;
    const auto timer = std::make_shared<asio::steady_timer>(executor, d);
    const std::stop_callback on_stop{stop, [&] { asio::post(executor, [timer] { timer->cancel(); }); }};
    std::error_code ended;
    co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ended));
}

asio::awaitable<void> perform(const app::task& job, pgq::context& c) {
    waiting.count_down();
    for (int i = 0; i < job.minutes; ++i) {
        co_await wait(1min, c.stop_token());
        c.throw_if_stopping();
    }
}

int main() try {
    asio::io_context context;
    const auto work = asio::make_work_guard(context);
    const std::jthread running{[&] { context.run(); }};
    app_queue jobs{pgq::driver::memory{}, {}, pgq::executor::coroutine{context.get_executor(), 8}};
    const auto job = jobs.enqueue(app::task{10}, {.keep_outcome = 1h}).value();
    pgq::worker w{jobs, perform};
    {
        const std::jthread working{[&](std::stop_token stop) { w.run(stop).value(); }};
        waiting.wait();
        (void)job.cancel().value();
        const auto end = job.wait(1min).value();
        std::printf("%s: %s\n", name_of(end.kind).data(), end.reason.c_str());
        if (end.kind != pgq::end_kind::cancelled) return 1;
    }
    context.stop();
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "async_stopping: %s\n", e.info().text().c_str());
    return 1;
}
