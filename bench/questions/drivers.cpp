// What does the worker itself cost, without a server? And how fast is it with threads?

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <pgq/driver/memory.hpp>
#include <pgq/executor/thread_pool.hpp>

#include <atomic>
#include <optional>

namespace bench {

namespace {

using memory_queue = pgq::rebind<mail_queue<>, pgq::driver::memory>;
using pool_queue = mail_queue<pgq::executor::thread_pool>;

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
                         pgq::worker w{*memory,
                                       pgq::worker_options{.max_prefetch = 1999, .until = pgq::run_until::empty},
                                       [&](const mail& m) { seen.see(m.number); }};
                         w.run().value();
                         seen.check();
                         return n;
                     }});
    memory.reset();
    measure(c, {.question = "drain", .what = "libpq, two threads"},
            trial_of{[&] { refill(c.dsn, n); },
                     [&] {
                         std::atomic<std::int64_t> seen{0};
                         pool_queue jobs{strict_driver(c.dsn), {}, pgq::executor::thread_pool{2}};
                         pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 1999, .until = pgq::run_until::empty},
                                       [&](const mail&) { seen.fetch_add(1, std::memory_order_relaxed); }};
                         w.run().value();
                         if (seen != n) throw std::runtime_error{"a job was lost or ran twice"};
                         return n;
                     }});
}

}  // namespace bench
