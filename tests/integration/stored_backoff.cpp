#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/spec.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/queue.hpp>
#include <pgq/worker.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <asio/use_future.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

namespace integration_stored_backoff {

using namespace std::chrono_literals;
using test::note;

namespace {

struct an_hour {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return as_spec().delay(attempt); }
    pgq::backoff::spec as_spec() const { return pgq::backoff::fixed{.every = 1h}; }
};

template <class Driver, class Backoff>
using queue_with = pgq::queue<pgq::job<note>, Driver, pgq::serializer::json, pgq::executor::in_place, Backoff>;

}  // namespace

TEST_CASE("jobs keep their producer's back-off in the database, whichever call enqueued them", "[backoff][stored]") {
    const test::database db;
    test::running_context context;
    using pgq::driver::asio_libpq;
    using pgq::driver::libpq;
    using storing = pgq::backoff::stored<an_hour>;
    queue_with<libpq, storing> producer{libpq{db.options()}};
    queue_with<asio_libpq, storing> async_producer{asio_libpq{context.executor(), db.options()}};
    queue_with<libpq, pgq::backoff::none> consumer{libpq{db.options()}};

    const pgq::header mine{"color", "red"};
    producer.enqueue(note{.n = 1}).value();
    producer.enqueue(std::vector<note>{{.n = 2}, {.n = 3}}, {.headers = {&mine, 1}}).value();
    (void)async_producer.async_enqueue(note{.n = 4}, asio::use_future).get();
    (void)async_producer.async_enqueue(note{.n = 5}, {.headers = {&mine, 1}}, asio::use_future).get();
    const test::sql_connection connection{test::dsn(), db.schema()};
    producer.enqueue(pgq::within(connection.get()), note{.n = 6}).value();

    test::run_log book;
    test::run_until_empty(consumer, {.max_attempts = 3}, [&](const note& n, pgq::context& c) {
        book.add(n.n, c);
        throw std::runtime_error{"not today"};
    });
    CHECK(book.each_ran_once(6));
    for (const auto& seen : book.all()) {
        bool stored = false;
        for (const auto& [name, value] : seen.headers)
            stored = stored || (name == "pgq-backoff" && value == "fixed 1h");
        CHECK(stored);
    }
    const auto counts = consumer.counts<note>().value();
    CHECK(counts.deferred == 6);
    CHECK(db.query_int("SELECT count(*) FROM {s}.deferred WHERE kind <> 'h'"
                       " AND run_at BETWEEN now() + interval '59 min' AND now() + interval '1 h'") == 6);
}

}  // namespace integration_stored_backoff
