// The code that the pages in docs/reference/drivers/ quote.

#include <pgq/asio.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <asio/use_awaitable.hpp>

#include <chrono>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {

struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::string to{};
    std::string subject{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::send_email, to, subject);

namespace libpq_page {

// clang-format off
pgq::driver::libpq by_environment{};  // whatever PGHOST, PGDATABASE, PGSERVICE, ... say
pgq::driver::libpq one_of_two{"host=db1,db2 dbname=app target_session_attrs=read-write"};
pgq::driver::libpq by_address{"postgresql://app@db/app"};
pgq::driver::libpq with_options{{.conninfo = "service=app", .schema = "mail_jobs", .strict = true}};
pgq::driver::libpq past_the_pooler{
    {.conninfo = "host=pooler port=6432 dbname=app", .listen_conninfo = "host=db dbname=app"}};
// clang-format on

using app_queue = pgq::queue<app::send_email, pgq::driver::libpq, pgq::serializer::json>;

void in_a_transaction(PGconn* conn, app_queue& jobs) {
    PQexec(conn, "BEGIN");
    jobs.enqueue(pgq::within(conn), app::send_email{"ada@example.org", "welcome"}).value();
    PQexec(conn, "COMMIT");  // now it exists, and a worker wakes
}

}  // namespace libpq_page

namespace memory_page {

void stores() {
    pgq::driver::memory jobs_live_here;         // a new, empty store
    pgq::driver::memory same = jobs_live_here;  // a copy is a handle to the same store
}

void time(pgq::time_point tomorrow) {
    pgq::manual_clock clock;
    auto driver = pgq::driver::memory::with_clock(clock);
    clock.advance(15s);   // jobs become due, leases run out, waits time out
    clock.set(tomorrow);  // somebody sets the calendar: jobs become due, but no time has passed for leases and waits
}

}  // namespace memory_page

#if PGQ_HAS_COROUTINES

namespace asio_page {

using app_queue = pgq::queue<app::send_email, pgq::driver::asio_libpq, pgq::serializer::json>;

app_queue queue_on(asio::any_io_executor executor) {
    return app_queue{pgq::driver::asio_libpq{executor, "host=db.example.org dbname=app"}};
}

asio::awaitable<pgq::job_id> sign_up(app_queue& jobs, app::send_email m) {
    co_return co_await jobs.async_enqueue(m, {.priority = 5}, asio::use_awaitable);
}

asio::awaitable<void> welcome(app_queue& jobs) {
    const app::send_email m{"ada@example.org", "welcome"};
    co_await jobs.async_enqueue(m, asio::use_awaitable);  // not: async_enqueue(app::send_email{...}, ...)
}

}  // namespace asio_page

#endif
