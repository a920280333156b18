#include <pgq/client/flow.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/transaction/transaction.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/jobs.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

namespace unit_client_open_transaction {

using namespace std::chrono_literals;
using test::note;

namespace {

using memory_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place>;

}  // namespace

TEST_CASE("a queue object refuses to enqueue inside of its own transaction", "[queue][transaction]") {
    memory_queue jobs;
    jobs.transaction([&](auto& tx) {
            const auto one = jobs.enqueue(note{});
            REQUIRE_FALSE(one.has_value());
            CHECK(one.error() == pgq::errc::invalid_option);
            CHECK(one.error().hint.find("tx.enqueue") != std::string::npos);
            CHECK(jobs.enqueue(test::notes(2)).error() == pgq::errc::invalid_option);
            CHECK(jobs.enqueue(note{}, {.keep_outcome = 1h}).error() == pgq::errc::invalid_option);
            auto flow = jobs.flow();
            flow.add(note{});
            CHECK(flow.enqueue().error() == pgq::errc::invalid_option);
            CHECK(tx.enqueue(note{.n = 1}).has_value());
        })
        .value();
    CHECK(jobs.counts<note>().value().ready == 1);
}

TEST_CASE("it enqueues again when its transaction has ended, however that ended", "[queue][transaction]") {
    memory_queue jobs;
    CHECK_THROWS_AS(jobs.transaction([](auto&) { throw std::runtime_error{"no"}; }), std::runtime_error);
    CHECK(jobs.enqueue(note{}).has_value());
    CHECK_FALSE(jobs.transaction([](auto&) -> pgq::result<void> { return pgq::errc::stopped; }).has_value());
    CHECK(jobs.enqueue(note{}).has_value());
}

TEST_CASE("other threads and other queue objects enqueue during a transaction", "[queue][transaction]") {
    const pgq::driver::memory database;
    memory_queue jobs{database}, other{database};
    jobs.transaction([&](auto&) {
            CHECK(other.enqueue(note{}).has_value());
            other
                .transaction([&](auto&) {
                    CHECK_FALSE(other.enqueue(note{}).has_value());
                    CHECK_FALSE(jobs.enqueue(note{}).has_value());
                })
                .value();
            CHECK(other.enqueue(note{}).has_value());
            bool enqueued = false;
            std::thread{[&] { enqueued = jobs.enqueue(note{}).has_value(); }}.join();
            CHECK(enqueued);
        })
        .value();
    CHECK(jobs.counts<note>().value().ready == 3);
}

TEST_CASE("the queue of a worker refuses to enqueue inside of a handler with a transaction", "[queue][transaction]") {
    memory_queue jobs;
    (void)jobs.enqueue(note{.n = 1}).value();
    int refused = 0;
    test::run_until_empty(jobs, {}, [&](const note& n, pgq::transaction<memory_queue>& tx) {
        if (n.n != 1) return;
        refused += jobs.enqueue(note{.n = 2}).has_value() ? 0 : 1;
        (void)tx.enqueue(note{.n = 3}).value();
    });
    CHECK(refused == 1);
    CHECK(jobs.counts<note>().value() == pgq::lane_counts{});
}

}  // namespace unit_client_open_transaction
