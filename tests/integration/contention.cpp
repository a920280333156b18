#include "support/catch.hpp"
#include "support/database.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace integration_contention {

using test::database;
using test::note;

namespace {

pgq::driver::connection_options at_level(const database& db, const std::string& level) {
    auto o = db.options();
    o.conninfo = database::settings_of(o.conninfo, "options", "-c default_transaction_isolation=" + level);
    return o;
}

// Calls `work(i)` on `n` threads at once.
template <class Work>
void at_once(int n, Work work) {
    std::latch ready{n};
    std::vector<std::jthread> threads;
    for (int i = 0; i < n; ++i)
        threads.emplace_back([&, i] {
            ready.arrive_and_wait();
            work(i);
        });
}

// The first error of several threads.
class first_error {
public:
    template <class Result>
    bool note(const Result& r) {
        if (r) return true;
        const std::lock_guard lock{mutex_};
        ++count_;
        if (text_.empty()) text_ = r.error().text();
        return false;
    }
    std::string text() const { return std::to_string(count_) + " errors, the first: " + text_; }
    int count() const { return count_; }

private:
    std::mutex mutex_;
    std::string text_{};
    int count_ = 0;
};

}  // namespace

TEST_CASE("the first calls of many programs at once succeed at every isolation level", "[contention][direct]") {
    const auto level = GENERATE(as<std::string>{}, "repeatable\\ read", "serializable");
    const database db;
    const auto o = at_level(db, level);
    first_error failed;
    for (int round = 0; round < 5; ++round) {
        const std::string name = "queue " + std::to_string(round);
        at_once(8, [&](int) {
            test::note_queue<> jobs{pgq::driver::libpq{o}, {.name = name}};
            failed.note(jobs.enqueue(note{}));
        });
    }
    INFO(failed.text());
    CHECK(failed.count() == 0);
    CHECK(db.rows("ready") == 40);
}

TEST_CASE("many programs install at once at every isolation level", "[contention][direct]") {
    const auto level = GENERATE(as<std::string>{}, "repeatable\\ read", "serializable");
    const database db;
    auto o = at_level(db, level);
    first_error failed;
    for (int round = 0; round < 3; ++round) {
        o.schema = db.schema() + " " + std::to_string(round);
        at_once(6, [&](int) { failed.note(pgq::driver::libpq{o}.install()); });
        db.exec("DROP SCHEMA \"" + o.schema + "\" CASCADE");
    }
    INFO(failed.text());
    CHECK(failed.count() == 0);
}

TEST_CASE("workers that start at once all work at every isolation level", "[contention][direct]") {
    const auto level = GENERATE(as<std::string>{}, "repeatable\\ read", "serializable");
    const database db;
    test::note_queue<> jobs{pgq::driver::libpq{at_level(db, level)}};
    using worker = test::running_worker<test::note_queue<>, void (*)(const note&)>;
    std::vector<std::unique_ptr<worker>> workers;
    for (int i = 0; i < 6; ++i)
        workers.push_back(std::make_unique<worker>(
            jobs, pgq::worker_options{}, +[](const note&) {}));
    CHECK(test::eventually([&] { return db.subscribed_workers() == 6; }));
    for (const auto& w : workers) CHECK_FALSE(w->is_over());
}

TEST_CASE("enqueues of jobs that wait for each other succeed under serializable", "[contention][direct]") {
    const database db;
    const auto o = at_level(db, "serializable");
    first_error failed;
    std::atomic<int> put{0};
    test::note_queue<> of_workers{pgq::driver::libpq{o}};
    (void)of_workers.lanes().value();
    test::running_worker one{of_workers, pgq::worker_options{}, [](const note&) {}};
    test::running_worker other{of_workers, pgq::worker_options{}, [](const note&) {}};
    at_once(4, [&](int) {
        test::note_queue<> jobs{pgq::driver::libpq{o}};
        for (int i = 0; i < 100; ++i) {
            const auto parent = jobs.enqueue(note{.n = i});
            if (!failed.note(parent)) continue;
            put += failed.note(jobs.enqueue(note{.n = i}, {.after = *parent}));
        }
    });
    INFO(failed.text());
    CHECK(failed.count() == 0);
    CHECK(put == 400);
    CHECK(test::eventually([&] { return db.is_empty(); }));
}

}  // namespace integration_contention
