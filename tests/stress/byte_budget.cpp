#include <pgq/driver/libpq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/worker_process.hpp>

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

namespace stress_byte_budget {

using namespace std::chrono_literals;
using test::database;
using test::task;

namespace {

/// The most memory that a process has had at once, in MiB; see proc_pid_status(5).
std::int64_t most_resident(pid_t pid) {
    std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
    for (std::string word; status >> word;) {
        std::int64_t kibibytes = 0;
        if (word == "VmHWM:" && status >> kibibytes) return kibibytes / 1024;
    }
    return -1;
}

}  // namespace

TEST_CASE("a worker that has claimed small jobs claims large ones within its bytes", "[stress][slow]") {
    const database db;
    test::make_journal(db);
    pgq::queue<task, pgq::driver::libpq, pgq::serializer::json> jobs{db.driver()};
    constexpr std::int64_t small = 50'000, large = 400;
    constexpr std::size_t large_bytes = 4U << 20U;
    for (std::int64_t n = 0; n < small; n += 10'000) {
        std::vector<task> some;
        for (std::int64_t i = 0; i < 10'000; ++i) some.push_back({.n = n + i});
        (void)jobs.enqueue(some).value();
    }
    for (std::int64_t n = 0; n < large; n += 10) {
        const std::vector<task> some(10, task{.n = small + n, .act = std::string(large_bytes, 'x')});
        (void)jobs.enqueue(some).value();
    }
    const std::int64_t jobs_bytes = large * static_cast<std::int64_t>(large_bytes >> 20U);

    // The claims of this worker have grown to the largest size when the first large job comes.
    auto w = test::start_worker(db, {{"do", "done"}, {"threads", "4"}, {"prefetch", "10000"}, {"lease", "60000"}});
    CHECK(test::eventually(10min, [&] { return db.is_empty(); }));
    const auto resident = most_resident(w.pid());
    CAPTURE(resident, jobs_bytes);
    INFO(test::events_of(db));
    CHECK(resident > 0);
    CHECK(resident < 160);  // max_bytes (16 MiB) as the server's answer, as payloads and as jobs, and the program
    w.send(SIGTERM);
    CHECK(w.wait() == 0);
    CHECK(db.rows("events") == 0);  // no claim failed, and no connection
    CHECK(db.query_int("SELECT count(*) FROM {s}.runs WHERE ended IS NOT NULL") == small + large);
    CHECK(db.rows("runs") == small + large);
}

}  // namespace stress_byte_budget
