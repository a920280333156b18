// The code that the pages in docs/guides/ and docs/reference/ quote, if no example has it.

#include <pgq/admin.hpp>
#include <pgq/asio.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/use_awaitable.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

namespace app {

struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::string to{};
    std::string subject{};
};
struct thumbnail {
    std::int64_t width = 0, height = 0;
};
struct resize {
    static constexpr std::string_view entrypoint = "resize";
    using result = thumbnail;
    std::string path{};
    int edge = 256;
};

bool deliver(const send_email& m);
thumbnail thumbnail_of(const resize& r);
int urgency_of(const send_email& m);

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::send_email, to, subject);
BOOST_HANA_ADAPT_STRUCT(app::thumbnail, width, height);
BOOST_HANA_ADAPT_STRUCT(app::resize, path, edge);

namespace handlers_page {

using app_queue = pgq::queue<app::send_email, app::resize, pgq::driver::libpq, pgq::serializer::json>;

void work(app_queue& jobs, std::stop_token stop) {
    pgq::worker w{jobs,
                  [](const app::send_email& m) -> pgq::outcome {
                      if (m.to.empty()) return pgq::discard{"the address is empty"};
                      if (!app::deliver(m)) return pgq::retry_after{1min, "the mail server is busy"};
                      return pgq::done{};
                  },
                  [](const app::resize& r) { return app::thumbnail_of(r); }};
    w.run(std::move(stop)).value();
}

static_assert(pgq::entrypoints_of<app_queue> == std::array<std::string_view, 2>{"resize", "send_email"});

}  // namespace handlers_page

namespace retries_page {

// Every further attempt begins half a minute after the one that failed.
struct half_a_minute {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return 30s; }
};
using app_queue = pgq::queue<pgq::job<app::send_email, half_a_minute>,  // a back-off for one entrypoint
                             app::resize,                               // this one has the queue's
                             pgq::driver::libpq, pgq::serializer::json, pgq::backoff::exponential>;

inline constexpr pgq::worker_options two_attempts{.max_attempts = 2, .on_exhausted = pgq::exhausted::hold};

}  // namespace retries_page

namespace options_page {

using app_queue = handlers_page::app_queue;

void enqueue(app_queue& jobs, const app::send_email& mail, const std::vector<app::send_email>& mails) {
    jobs.enqueue(mail).value();
    jobs.enqueue(mail, {.priority = 5, .run_at = pgq::in(1min), .headers = {{"tenant", "acme"}}}).value();
    jobs.enqueue(mails, {.priority = -1}).value();  // the same options for all of them
    jobs.enqueue(mails, [](const app::send_email& m) { return pgq::enqueue_options{.priority = app::urgency_of(m)}; })
        .value();
}

}  // namespace options_page

namespace later_page {

using app_queue = handlers_page::app_queue;

void enqueue(app_queue& jobs, const app::send_email& mail, pgq::time_point monday) {
    jobs.enqueue(mail, {.run_at = pgq::in(10min)}).value();      // ten minutes from now, by the database's clock
    jobs.enqueue(mail, {.run_at = pgq::at(monday)}).value();     // not before that moment
    jobs.enqueue(mail, {.expected_at = pgq::in(1h)}).value();    // goes before jobs with a later deadline or none
    jobs.enqueue(mail, {.expires_at = pgq::in(15min)}).value();  // pointless after that
}

pgq::time_point in_a_day() {
    const auto tomorrow = std::chrono::system_clock::now() + 24h;  // in nanoseconds with libstdc++
    return std::chrono::floor<std::chrono::microseconds>(tomorrow);
}

}  // namespace later_page

namespace transactions_page {

using app_queue = handlers_page::app_queue;

void sign_up(PGconn* conn, app_queue& jobs, const app::send_email& welcome) {
    PQclear(PQexec(conn, "BEGIN"));
    PQclear(PQexec(conn, "INSERT INTO customer (name) VALUES ('ada')"));
    jobs.enqueue(pgq::within(conn), welcome).value();
    PQclear(PQexec(conn, "COMMIT"));  // now both exist, and a worker wakes
}

}  // namespace transactions_page

namespace administration_page {

void what_failed() {
    pgq::admin ops{pgq::driver::libpq{}};
    for (const pgq::failed_group& g : ops.failed_groups("mail").value())
        std::printf("%s jobs: %s\n", g.count.text().c_str(), g.reason.c_str());  // "1 200 jobs: smtp refused"

    const pgq::job_selection refused{.queue = "mail", .reason = "smtp refused"};
    const auto n = ops.preview(pgq::job_action::requeue, refused).value();
    std::printf("%s jobs would run again\n", n.text().c_str());
    const auto done = ops.requeue(refused, {.progress = [](const pgq::bulk_reply& r) { return r.done < 50'000; }});
    if (done) std::printf("%lld jobs run again\n", static_cast<long long>(done->done));
}

void all_jobs_of_a_tenant(pgq::admin<pgq::driver::libpq>& ops) {
    for (std::optional<pgq::job_id> after = pgq::before_all_jobs; after;) {
        const auto page = ops.jobs({.headers = {{"tenant", "a"}}}, {.after = *after, .most = 200}).value();
        for (const pgq::listed_job& j : page.jobs)
            std::printf("%lld %d\n", static_cast<long long>(j.id.value), j.attempts);
        after = page.next;  // empty behind the last page
    }
}

bool is_healthy(pgq::admin<pgq::driver::libpq>& ops) {
    const auto found = ops.doctor().value();
    for (const pgq::finding& f : found)
        std::printf("%s: %s\n  %s\n%s\n", f.topic.c_str(), f.what.c_str(), f.remedy.c_str(), f.sql.c_str());
    return found.empty() || found.front().severity == pgq::severity::note;
}
}  // namespace administration_page

namespace errors_page {

using app_queue = handlers_page::app_queue;

bool enqueue(app_queue& jobs, const app::send_email& mail) {
    const auto job = jobs.enqueue(mail);
    if (job) return true;
    std::fprintf(stderr, "%s\n", job.error().text().c_str());              // "enqueue_one: permission denied ..."
    if (job.error() == pgq::errc::schema_missing) jobs.install().value();  // what is the case
    return job.error() == pgq::condition::transient;                       // what to do about it: try again later
}

}  // namespace errors_page

namespace executors_page {

struct my_executor {
    using policy_category = pgq::executor_tag;
    std::size_t width() const noexcept;
    void start();
    void execute(const pgq::task&);  // called by one thread, between start and stop
    void stop() noexcept;
};
static_assert(pgq::executor_policy<my_executor>);

}  // namespace executors_page

namespace testing_page {

using app_queue = handlers_page::app_queue;
// The same jobs and policies without a database. `run` calls one handler at a time, in the caller's thread.
using test_queue = pgq::rebind<pgq::rebind<app_queue, pgq::driver::memory>, pgq::executor::in_place>;

bool a_busy_server_is_tried_again() {
    test_queue jobs;
    jobs.enqueue(app::send_email{"ada@example.org", "welcome"}).value();

    int calls = 0;
    pgq::worker w{jobs,
                  {.until = pgq::run_until::drained},  // returns when no job is left, delayed ones included
                  [&](const app::send_email&) -> pgq::outcome {
                      if (++calls == 1) return pgq::retry_after{10ms, "busy"};
                      return pgq::done{};
                  },
                  [](const app::resize&) { return app::thumbnail{}; }};
    w.run().value();
    return calls == 2 && jobs.held<app::send_email>().value().empty();
}

}  // namespace testing_page

#if PGQ_HAS_COROUTINES

namespace asio_page {

using app_queue = pgq::queue<app::send_email, pgq::driver::asio_libpq, pgq::serializer::json, pgq::executor::coroutine>;

asio::awaitable<void> send(const app::send_email& m);

// Up to 64 handlers at once, in the one thread of the context.
asio::awaitable<void> work(asio::io_context& context) {
    app_queue jobs{
        pgq::driver::asio_libpq{context.get_executor()}, {}, pgq::executor::coroutine{context.get_executor(), 64}};
    pgq::async_worker w{jobs, [](const app::send_email& m) -> asio::awaitable<pgq::outcome> {
                            co_await send(m);
                            co_return pgq::done{};
                        }};
    co_await w.async_run(asio::use_awaitable);
}

}  // namespace asio_page

#endif
