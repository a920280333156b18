// Does the worker keep all threads busy when handlers wait, as for a network? A pool of a thousand threads runs a
// thousand jobs at a time. The ceiling is the rate of a thousand threads that never idle.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <pgq/executor/thread_pool.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace bench {

void waiting(context& c) {
    using namespace std::chrono_literals;
    struct workload {
        const char* what;
        std::chrono::milliseconds each;
        std::int64_t n, n_quick;
    };
    for (const auto& s : {workload{"1000 at once, 10 ms each", 10ms, 500'000, 20'000},
                          workload{"1000 at once, 1 s each", 1s, 20'000, 3'000}}) {
        const auto n = c.jobs(s.n, s.n_quick);
        row r{.question = "waiting", .what = s.what, .ceiling_name = "1000 threads, always busy"};
        r.ceiling.add(1000 / std::chrono::duration<double>(s.each).count());
        measure(c, r,
                trial_of{[&] { refill(c.dsn, n); },
                         [&] {
                             std::atomic<std::int64_t> seen{0};
                             mail_queue<pgq::executor::thread_pool> jobs{
                                 strict_driver(c.dsn), {}, pgq::executor::thread_pool{1000}};
                             pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty}, [&](const mail&) {
                                               std::mutex m;
                                               std::condition_variable never;
                                               std::unique_lock lock{m};
                                               (void)never.wait_for(lock, s.each, [] { return false; });
                                               ++seen;
                                           }};
                             w.run().value();
                             if (seen != n) throw std::runtime_error{"a job was lost or ran twice"};
                             return n;
                         }});
    }
}

}  // namespace bench
