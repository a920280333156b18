// run:
// Stores the back-off with the job: the producer chooses the delays, and the worker reads them from the job.

#include <pgq/backoff/stored.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/raw.hpp>

#include <chrono>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {

struct call_partner {
    static constexpr std::string_view entrypoint = "call_partner";
    std::string url{};
};

struct slow_backoff {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return as_spec().delay(attempt); }
    pgq::backoff::spec as_spec() const { return pgq::backoff::exponential{.first = 1min, .cap = 12h}; }
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::call_partner, url);

using producer =
    pgq::queue<app::call_partner, pgq::driver::memory, pgq::serializer::raw, pgq::backoff::stored<app::slow_backoff>>;
using consumer = pgq::queue<app::call_partner, pgq::driver::memory, pgq::serializer::raw, pgq::backoff::none>;

namespace {

bool answers_as_documented() {
    const pgq::duration third = pgq::backoff::exponential{.first = 500ms, .cap = 1h}.delay(3);             // 2 s
    const pgq::duration first = pgq::backoff::jittered{pgq::backoff::fixed{.every = 1min}, 0.5}.delay(1);  // 30 to 60 s
    return third == 2s && first >= 30s && first <= 60s;
}

}  // namespace

int main() try {
    const pgq::driver::memory database;
    producer calls{database};
    calls.enqueue(app::call_partner{"https://example.org/slow"}).value();

    // A single job may have its own back-off.
    const std::string ten_seconds = pgq::backoff::spec{pgq::backoff::fixed{.every = 10s}}.text();
    const pgq::header own{pgq::backoff::spec::header_name, ten_seconds};
    calls.enqueue(app::call_partner{"https://example.org/urgent"}, {.headers = {&own, 1}}).value();

    // The worker's policy retries at once. The back-off in the job takes precedence.
    consumer jobs{database};
    pgq::worker w{jobs, {.until = pgq::run_until::empty}, [](const app::call_partner& c, pgq::context& ctx) {
                      std::printf("%s waits by: %s\n", c.url.c_str(),
                                  std::string{*ctx.header_value(pgq::backoff::spec::header_name)}.c_str());
                      throw std::runtime_error{"nobody there"};
                  }};
    w.run().value();
    return jobs.counts<app::call_partner>().value().deferred == 2 && answers_as_documented() ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "stored_backoff: %s\n", e.what());
    return 1;
}
