// How fast are a producer and a worker that run at the same time, each as fast as it can?

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <atomic>
#include <thread>

namespace bench {

void sustained(context& c) {
    for (const std::int64_t batch : {10, 100, 1000}) {
        const std::int64_t most = batch == 10 ? 50'000 : batch == 100 ? 300'000 : 1'000'000;
        const auto n = c.jobs(most, most / 10);
        measure(c, {.question = "sustained", .what = "enqueued by " + std::to_string(batch)},
                trial_of{[&] { clear(c.dsn); },
                         [&, n, batch] {
                             mail_queue<> from{strict_driver(c.dsn)}, to{strict_driver(c.dsn)};
                             std::jthread producer{[&] {
                                 const auto some = mails(0, batch);
                                 for (std::int64_t i = 0; i < n; i += batch) from.enqueue(some).value();
                             }};
                             std::int64_t seen = 0;
                             std::stop_source stop;
                             pgq::worker w{to, pgq::worker_options{.max_prefetch = 1999}, [&](const mail&) {
                                               if (++seen == n) stop.request_stop();
                                           }};
                             w.run(stop.get_token()).value();
                             return seen;
                         }});
    }
}

}  // namespace bench
