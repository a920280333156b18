#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/borrow.hpp>
#include <pgq/queue.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <asio/use_future.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace integration_enqueue_events {

using test::note;
using strings = std::vector<std::string>;

namespace {

class recorder {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::jobs_enqueued& e) {
        const std::lock_guard lock{seen_->mutex};
        seen_->all.push_back(std::string{e.queue} + "/" + std::string{e.entrypoint} + " " + std::to_string(e.count) +
                             (e.committed ? "" : " uncommitted"));
    }
    strings all() const {
        const std::lock_guard lock{seen_->mutex};
        return seen_->all;
    }

private:
    struct events {
        std::mutex mutex{};
        strings all{};
    };
    std::shared_ptr<events> seen_ = std::make_shared<events>();
};

template <class Driver>
using queue_over = pgq::queue<note, Driver, pgq::serializer::json, pgq::executor::thread_pool, recorder>;

}  // namespace

TEST_CASE("async_enqueue, a stream and an enqueue with options send an event each", "[queue][observer]") {
    const test::database db;
    test::running_context context;
    queue_over<pgq::driver::asio_libpq> jobs{pgq::driver::asio_libpq{context.executor(), db.options()}};
    (void)jobs.async_enqueue(note{}, asio::use_future).get();
    (void)jobs.async_enqueue(test::notes(4), {.priority = 1}, asio::use_future).get();
    (void)jobs.async_enqueue(std::vector<note>{}, asio::use_future).get();
    CHECK(jobs.enqueue_stream(test::notes(7)).value() == 7);
    jobs.enqueue(test::notes(2), {.priority = 3}).value();
    CHECK(jobs.observer().all() == strings{"default/note 1", "default/note 4", "default/note 7", "default/note 2"});
}

TEST_CASE("an async_enqueue that fails sends no event", "[queue][observer]") {
    const test::database db;
    test::running_context context;
    queue_over<pgq::driver::asio_libpq> jobs{pgq::driver::asio_libpq{context.executor(), db.options()}};
    CHECK(jobs.drain<note>("test").value());
    CHECK_THROWS(jobs.async_enqueue(note{}, asio::use_future).get());
    CHECK(jobs.observer().all().empty());
}

TEST_CASE("an enqueue in the caller's transaction sends its event at once, as not committed", "[queue][observer]") {
    const test::database db;
    queue_over<pgq::driver::libpq> jobs{pgq::driver::libpq{db.options()}};
    db.exec("BEGIN");
    jobs.enqueue(pgq::within(db.connection()), test::notes(3)).value();
    CHECK(jobs.observer().all() == strings{"default/note 3 uncommitted"});
    db.exec("ROLLBACK");
}

TEST_CASE("a transaction on the server sends the events of its enqueues when it has committed", "[queue][observer]") {
    const test::database db;
    queue_over<pgq::driver::libpq> jobs{pgq::driver::libpq{db.options()}};
    jobs.transaction([&](auto& tx) {
            (void)tx.enqueue(test::notes(3)).value();
            CHECK(jobs.observer().all().empty());
        })
        .value();
    CHECK(jobs.observer().all() == strings{"default/note 3"});
}

}  // namespace integration_enqueue_events
