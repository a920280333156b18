// run:
// Limits how many jobs run, in one worker and in all workers together.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::int64_t to = 0;
};
struct charge {
    static constexpr std::string_view entrypoint = "charge";
    std::int64_t customer = 0;
};
struct report {
    static constexpr std::string_view entrypoint = "report";
    std::int64_t month = 0;
};

}  // namespace app

BOOST_HANA_ADAPT_STRUCT(app::send_email, to);
BOOST_HANA_ADAPT_STRUCT(app::charge, customer);
BOOST_HANA_ADAPT_STRUCT(app::report, month);

namespace limiter = pgq::limiter;
using std::chrono::seconds;

// All workers together send 500 mails a second, charge one customer once at a time, and run three reports at a time.
// Each worker runs at most eight jobs at a time.
using shop = pgq::queue<pgq::job<app::send_email, limiter::global_rate<500>>,
                        pgq::job<app::charge, limiter::serialized_by<&app::charge::customer>>,
                        pgq::job<app::report, limiter::all_of<limiter::global_concurrency<3>, limiter::rate<>>>,
                        limiter::concurrency<8>, pgq::driver::memory, pgq::serializer::json>;

int main() {
    shop jobs{pgq::driver::memory{}};
    // Values at run time: for the workers of this object, before they start ...
    jobs.limiter<app::report>() = limiter::all_of<limiter::global_concurrency<3>, limiter::rate<>>{
        limiter::global_concurrency<3>{}, limiter::rate<>{200, seconds{1}}};

    for (std::int64_t i = 0; i < 50; ++i) {
        jobs.enqueue(app::send_email{i}).value();
        jobs.enqueue(app::charge{i % 3}).value();
        jobs.enqueue(app::report{i}).value();
    }
    std::atomic<int> done{0};
    pgq::worker w{jobs,
                  {.until = pgq::run_until::empty},
                  [&](const app::send_email&) { ++done; },
                  [&](const app::charge&) { ++done; },
                  [&](const app::report&) { ++done; }};
    w.run().value();
    std::printf("%d jobs done\n", done.load());

    // ... and for all workers, while they run.
    for (auto limit : jobs.limits().value()) {
        if (limit.entrypoint != app::report::entrypoint) continue;
        limit.limit.amount = 5;
        jobs.change_limit(limit).value();
    }
    for (const auto& limit : jobs.limits().value())
        std::printf("%s: %d\n", limit.entrypoint.c_str(), static_cast<int>(limit.limit.amount));
}
