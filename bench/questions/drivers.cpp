// How fast is the worker without a server (driver::memory), with a thread pool, and with coroutines of Asio?

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/executor/thread_pool.hpp>

#include <asio/awaitable.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>

#include <atomic>
#include <optional>
#include <system_error>

namespace bench {

namespace {

using memory_queue = pgq::rebind<mail_queue<>, pgq::driver::memory>;
using pool_queue = mail_queue<pgq::executor::thread_pool>;
using asio_queue = pgq::rebind<mail_queue<pgq::executor::coroutine>, pgq::driver::asio_libpq>;

constexpr pgq::worker_options batches_of_1000{.max_prefetch = 1999, .until = pgq::run_until::empty};

std::int64_t all_of(std::int64_t n, const std::atomic<std::int64_t>& seen) {
    if (seen != n) throw std::runtime_error{"a job was lost or ran twice"};
    return n;
}

std::int64_t drain_with_threads(const std::string& dsn, std::int64_t n) {
    std::atomic<std::int64_t> seen{0};
    pool_queue jobs{strict_driver(dsn), {}, pgq::executor::thread_pool{2}};
    pgq::worker w{jobs, batches_of_1000, [&](const mail&) { seen.fetch_add(1, std::memory_order_relaxed); }};
    w.run().value();
    return all_of(n, seen);
}

std::int64_t drain_with_coroutines(const std::string& dsn, std::int64_t n) {
    std::atomic<std::int64_t> seen{0};
    asio::io_context context{1};
    const auto executor = context.get_executor();
    asio_queue jobs{pgq::driver::asio_libpq{executor, {.conninfo = dsn, .strict = true}},
                    {},
                    pgq::executor::coroutine{executor, 64}};
    pgq::async_worker w{jobs, batches_of_1000, [&](const mail&) -> asio::awaitable<void> {
                            seen.fetch_add(1, std::memory_order_relaxed);
                            co_return;
                        }};
    std::error_code failed;
    w.async_run([&](std::error_code e) { failed = e; });
    context.run();
    if (failed) throw std::system_error{failed};
    return all_of(n, seen);
}

}  // namespace

void drivers(context& c) {
    const auto n = c.jobs(1'000'000, 100'000);
    std::optional<memory_queue> memory;
    measure(c, {.question = "drain", .what = "memory driver, in place"},
            trial_of{[&] {
                         memory.emplace();
                         for (std::int64_t i = 0; i < n; i += 10'000) memory->enqueue(mails(i, 10'000)).value();
                     },
                     [&] {
                         tally seen{n};
                         pgq::worker w{*memory, batches_of_1000, [&](const mail& m) { seen.see(m.number); }};
                         w.run().value();
                         seen.check();
                         return n;
                     }});
    memory.reset();
    const auto fill = [&] { refill(c.dsn, n); };
    measure(c, {.question = "drain", .what = "libpq, two threads"},
            trial_of{fill, [&] { return drain_with_threads(c.dsn, n); }});
    measure(c, {.question = "drain", .what = "asio_libpq, coroutines"},
            trial_of{fill, [&] { return drain_with_coroutines(c.dsn, n); }});
    measure(c, {.question = "drain", .what = "batch 1000, two workers"},
            trial_of{fill, [&] { return drain_by_two(c.dsn, n, 1000); }});
}

}  // namespace bench
