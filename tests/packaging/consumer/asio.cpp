#include "job.hpp"

#include <pgq/asio.hpp>
#include <pgq/serializer/raw.hpp>

#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <cstdio>
#include <exception>
#include <string>

namespace {

using app_queue = pgq::queue<consumer::greet, pgq::driver::asio_libpq, pgq::serializer::raw, pgq::executor::coroutine>;

asio::awaitable<void> run(app_queue& jobs, std::string& seen) {
    const consumer::greet job{"Ada"};  // GCC 12 destroys a temporary aggregate in such an expression twice
    co_await jobs.async_enqueue(job, asio::use_awaitable);
    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::async_worker w{jobs, until_empty, [&](const consumer::greet& g) -> asio::awaitable<pgq::outcome> {
                            seen += g.name;
                            co_return pgq::done{};
                        }};
    co_await w.async_run(asio::use_awaitable);
}

}  // namespace

bool run_asio() {
    if (consumer::dsn() == nullptr) {
        std::puts("left out: the job of pgq::asio, because PGQ_DSN is not set");
        return true;
    }
    asio::io_context context;
    const auto executor = context.get_executor();
    app_queue jobs{
        pgq::driver::asio_libpq{executor, {.conninfo = consumer::dsn(), .schema = consumer::schema() + "_asio"}},
        {},
        pgq::executor::coroutine{executor, 1}};
    jobs.install().value();
    std::string seen;
    bool good = true;
    asio::co_spawn(context, run(jobs, seen), [&](const std::exception_ptr& failed) { good = failed == nullptr; });
    context.run();
    return good && seen == "Ada";
}
