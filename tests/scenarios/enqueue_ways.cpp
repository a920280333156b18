#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/borrow.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/limiter/concurrency_by.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <asio/use_future.hpp>

#include <chrono>
#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace scenarios_enqueue_ways::payloads {

struct parcel {
    static constexpr std::string_view entrypoint = "parcel";
    std::string key{};
};

struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = std::int64_t;
    std::int64_t a = 0;
};

}  // namespace scenarios_enqueue_ways::payloads

BOOST_HANA_ADAPT_STRUCT(scenarios_enqueue_ways::payloads::parcel, key);
BOOST_HANA_ADAPT_STRUCT(scenarios_enqueue_ways::payloads::sum, a);

namespace scenarios_enqueue_ways {

using namespace std::chrono_literals;
using payloads::parcel;
using payloads::sum;
using test::database;
using test::note;

namespace {

using keyed_parcel = pgq::job<parcel, pgq::limiter::concurrency_by<&parcel::key, 1>>;
template <class Driver>
using parcels = pgq::queue<keyed_parcel, note, Driver, pgq::serializer::json, pgq::executor::in_place>;

template <class Driver>
Driver driver_of(const database& db) {
    if constexpr (std::is_same_v<Driver, pgq::driver::memory>) return {};
    else if constexpr (std::is_same_v<Driver, pgq::driver::libpq>) return db.driver();
    else return Driver{db.driver(), {.max = 2}};
}

/// Each way to enqueue a parcel by this queue, and the error that it gives.
template <class Queue>
std::vector<std::pair<std::string, pgq::error_info>> errors_of(Queue& jobs, const parcel& p) {
    std::vector<std::pair<std::string, pgq::error_info>> errors;
    const auto add = [&](std::string way, const auto& answer) { errors.emplace_back(std::move(way), answer.error()); };
    add("one job", jobs.enqueue(p));
    add("a range", jobs.enqueue(std::vector{parcel{"short"}, p}));
    add("options for each job", jobs.enqueue(std::vector{p}, [](const parcel&) { return pgq::enqueue_options{}; }));
    add("a priority", jobs.enqueue(p, {.priority = 3}));
    add("packed", jobs.enqueue(std::vector(20, p), {.packed = true}));
    add("tracked", jobs.enqueue(p, {.unique_key = "k", .keep_outcome = 1h}));
    add("a chain", jobs.chain(p).then(p).enqueue());
    auto flow = jobs.flow();
    flow.add(note{});
    flow.add(p);
    add("a flow", flow.enqueue());
    add("a program's transaction", jobs.transaction([&](auto& tx) -> pgq::result<void> {
        if (auto put = tx.enqueue(p); !put) return put.error();
        return {};
    }));
    std::optional<pgq::error_info> inside;
    (void)jobs.enqueue(note{}).value();
    test::run_until_empty(
        jobs, {.max_attempts = 1, .until = pgq::run_until::drained}, [](const parcel&) {},
        [&](const note&, pgq::transaction<Queue>& tx) { inside = tx.enqueue(p).error(); });
    errors.emplace_back("a handler's transaction", inside.value());
    return errors;
}

void check_too_long(const std::string& way, const pgq::error_info& e) {
    CAPTURE(way);
    CHECK(e == pgq::errc::invalid_name);
    CHECK(e.message == "a job's key has more than 2048 bytes");
    CHECK(e.hint == "use a digest of it as the key");
}

const parcel& too_long() {
    static const parcel p{std::string(2049, 'x')};
    return p;
}

/// The jobs that a handler's transaction enqueues keep their results for `keep_results`.
template <class Driver>
using sums = pgq::queue<note, sum, Driver, pgq::serializer::json, pgq::executor::in_place>;

template <class Driver>
pgq::job_id enqueue_in_a_handler(sums<Driver>& jobs) {
    pgq::job_id id;
    (void)jobs.enqueue(note{}).value();
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty},
                  [&](const note&, pgq::transaction<sums<Driver>>& tx) { id = tx.enqueue(sum{.a = 1}).value(); },
                  [](const sum& s) { return s.a; }};
    w.run().value();
    return id;
}

}  // namespace

TEMPLATE_TEST_CASE("a key of more than 2048 bytes is the same error by every way to enqueue", "[scenario][enqueue]",
                   pgq::driver::memory, pgq::driver::libpq, pgq::driver::pool<pgq::driver::libpq>) {
    const database db;
    parcels<TestType> jobs{driver_of<TestType>(db)};
    for (const auto& [way, e] : errors_of(jobs, too_long())) check_too_long(way, e);
    CHECK(jobs.template counts<parcel>().value() == pgq::lane_counts{});
    CHECK(jobs.template counts<note>().value() == pgq::lane_counts{});
    CHECK(jobs.enqueue(parcel{std::string(2048, 'x')}).has_value());
}

TEST_CASE("a key of more than 2048 bytes is the same error in a stream, in the caller's transaction and by Asio",
          "[scenario][enqueue]") {
    const database db;
    parcels<pgq::driver::libpq> jobs{db.driver()};
    check_too_long("a stream", jobs.enqueue_stream(std::vector{parcel{"short"}, too_long()}).error());
    db.exec("BEGIN");
    check_too_long("the caller's transaction", jobs.enqueue(pgq::within(db.connection()), too_long()).error());
    db.exec("COMMIT");

    test::running_context context;
    parcels<pgq::driver::asio_libpq> async{pgq::driver::asio_libpq{context.executor(), db.options()}};
    CHECK_THROWS_AS(async.async_enqueue(too_long(), asio::use_future).get(), std::system_error);
    check_too_long("async_enqueue", async.last_async_error());
    CHECK_THROWS_AS(async.async_enqueue(std::vector{too_long()}, asio::use_future).get(), std::system_error);
    check_too_long("async_enqueue of a range", async.last_async_error());
    CHECK(db.is_empty());
}

TEST_CASE("over a borrowed connection a key of more than 2048 bytes is the same error", "[scenario][enqueue]") {
    const database db;
    parcels<pgq::driver::borrow> jobs{pgq::driver::borrow{db.connection(), {.schema = db.schema()}}};
    check_too_long("one job", jobs.enqueue(too_long()).error());
    check_too_long("tracked", jobs.enqueue(too_long(), {.keep_outcome = 1h}).error());
    check_too_long("a transaction", jobs.transaction([&](auto& tx) { return tx.enqueue(too_long()); }).error());
    CHECK(db.is_empty());
}

TEMPLATE_TEST_CASE("the result of a job from a handler's transaction is kept as long as the queue says",
                   "[scenario][enqueue]", pgq::driver::libpq, pgq::driver::pool<pgq::driver::libpq>) {
    const database db;
    sums<TestType> jobs{driver_of<TestType>(db), {.keep_results = 1h}};
    const auto id = enqueue_in_a_handler(jobs);
    CHECK(db.query_int("SELECT extract(epoch FROM keep_until - ended_at)::int8 FROM {s}.outcome WHERE id = " +
                       std::to_string(id.value)) == 3600);
}

}  // namespace scenarios_enqueue_ways
