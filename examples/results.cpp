// Waits for jobs, and reads the results that their handlers return. This example keeps the jobs in memory. With
// driver::libpq one program waits and another one works.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace app {

struct share {
    std::int64_t whole = 0;
    std::int64_t rest = 0;
};
struct division {
    static constexpr std::string_view entrypoint = "division";
    using result = share;  // the queue stores what the handler returns
    std::int64_t a = 0;
    std::int64_t b = 1;
};
struct errand {
    static constexpr std::string_view entrypoint = "errand";
    std::int64_t number = 0;
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::share, whole, rest);
BOOST_HANA_ADAPT_STRUCT(app::division, a, b);
BOOST_HANA_ADAPT_STRUCT(app::errand, number);

using app_queue = pgq::queue<app::division, app::errand, pgq::driver::memory, pgq::serializer::json>;

app::share divide(const app::division& d) {
    if (d.b == 0) throw std::domain_error{"division by zero"};
    return {.whole = d.a / d.b, .rest = d.a % d.b};
}
pgq::outcome run(const app::errand& e) {
    if (e.number == 2) return pgq::discard{"nobody is at home"};
    return pgq::done{};
}

void ask(app_queue& jobs) {
    const auto h = jobs.enqueue(app::division{17, 5}).value();
    const app::share s = h.get(10s).value();
    std::printf("17 / 5 is %d, rest %d\n", static_cast<int>(s.whole), static_cast<int>(s.rest));

    // Any program that knows the id may ask, also later.
    const pgq::job_id id = h;
    std::printf("still %d\n", static_cast<int>(jobs.find<app::division>(id).get(10s).value().whole));

    const auto broken = jobs.enqueue(app::division{1, 0}).value().get(10s);
    const std::string_view why = broken.error().message;
    std::printf("1 / 0: %s\n", why.substr(why.find("was")).data());
}

void wait(app_queue& jobs) {
    const auto all = jobs.enqueue(std::vector<app::errand>{{1}, {2}, {3}}, {.keep_outcome = 1h}).value();
    for (const auto& e : all.wait_all(10s).value()) {
        const std::string_view kind = name_of(e.kind);
        std::printf("%s%s%s\n", kind.data(), e.reason.empty() ? "" : ": ", e.reason.c_str());
    }
    const auto late = jobs.enqueue(app::errand{4}, {.run_at = pgq::in(1h)}).value();
    const auto end = late.wait(50ms);
    if (!end && end.error() == pgq::errc::timeout) std::printf("not yet\n");
}

int main() try {
    app_queue jobs;
    const pgq::worker_options once{.max_attempts = 1};
    pgq::worker w{jobs, once, divide, run};
    std::jthread working{[&](std::stop_token stop) { w.run(stop).value(); }};
    ask(jobs);
    wait(jobs);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "results: %s\n", e.info().text().c_str());
    return 1;
}
