// Each entrypoint declares how its handler runs. This example keeps the jobs in memory; driver::libpq works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace app {

struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::string to{};
};
struct make_report {
    static constexpr std::string_view entrypoint = "make_report";
    std::string month{};
};
struct book {
    static constexpr std::string_view entrypoint = "book";
    std::string account{};
    std::int64_t cents = 0;
};
struct render {
    static constexpr std::string_view entrypoint = "render";
    std::string file{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::send_email, to);
BOOST_HANA_ADAPT_STRUCT(app::make_report, month);
BOOST_HANA_ADAPT_STRUCT(app::book, account, cents);
BOOST_HANA_ADAPT_STRUCT(app::render, file);

namespace app {

namespace executor = pgq::executor;

struct short_backoff {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return attempt * 5ms; }
};

using app_queue = pgq::queue<
    // up to five calls, with pauses by the back-off; the last one starts within two seconds of the first
    pgq::job<send_email, executor::retrying<short_backoff, executor::tries<5>, executor::budget<2s>>>,
    // after 50 ms the stop token fires, and the attempt fails
    pgq::job<make_report, executor::timeout<50ms>>,
    // jobs of one account run one after the other, jobs of different accounts at the same time
    pgq::job<book, executor::strand_by<&book::account>>,
    // each job runs in its own process, for ten seconds at most
    pgq::job<render, executor::timeout<10s, executor::process>>,  //
    pgq::driver::memory, pgq::serializer::json, pgq::executor::thread_pool>;

// A connection that fails twice before it works.
void send(const send_email& m, int call) {
    if (call < 3) throw std::runtime_error{"the connection was reset"};
    std::printf("sent to %s with call %d\n", m.to.c_str(), call);
}

// Waits for figures that never come, until the stop token fires.
void wait_for_figures(const pgq::context& c) {
    std::mutex mutex;
    std::condition_variable_any figures;
    std::unique_lock lock{mutex};
    (void)figures.wait(lock, c.stop_token(), [] { return false; });
}

}  // namespace app

int main() try {
    app::app_queue jobs{{}, {}, pgq::executor::thread_pool{4}};
    jobs.enqueue(app::send_email{"ada@example.org"}).value();
    jobs.enqueue(app::make_report{"May"}).value();
    jobs.enqueue(std::vector<app::book>{{"ada", 100}, {"grace", 300}, {"ada", -40}}).value();
    jobs.enqueue(app::render{"broken.svg"}).value();

    std::int64_t ada = 0, grace = 0;  // no lock: no two jobs of one account run at once
    const auto send = [](const app::send_email& m, pgq::context& c) { app::send(m, c.try_number()); };
    const auto report = [](const app::make_report&, pgq::context& c) { app::wait_for_figures(c); };
    const auto enter = [&](const app::book& b) { (b.account == "ada" ? ada : grace) += b.cents; };
    const auto draw = [](const app::render&) { (void)std::raise(SIGSEGV); };

    pgq::worker_options until_empty{.max_attempts = 1, .until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, send, report, enter, draw};
    w.run().value();

    std::printf("ada has %d, grace has %d\n", static_cast<int>(ada), static_cast<int>(grace));
    std::printf("report: %s\n", jobs.held<app::make_report>().value().at(0).reason.c_str());
    std::printf("render: %s\n", jobs.held<app::render>().value().at(0).reason.c_str());
    return ada == 60 && grace == 300 ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "decorators: %s\n", e.what());
    return 1;
}
