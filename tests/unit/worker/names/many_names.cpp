#include <pgq/context/context.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace unit_worker_names_many_names {

using namespace std::chrono_literals;
using test::letter;
using test::note;

namespace {

template <class... Policies>
using tenant_queue = pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, Policies...>;
using in_place_queue = tenant_queue<pgq::executor::in_place>;

template <class Queue = in_place_queue>
Queue named(const pgq::driver::memory& driver, std::string name) {
    return Queue{driver, {.name = std::move(name)}};
}

// "name kind number", in the order in which the jobs ran.
std::vector<std::string> run_until_empty(const pgq::driver::memory& driver, const pgq::queue_names& names) {
    auto jobs = named(driver, "unused");
    std::vector<std::string> seen;
    const auto add = [&](const pgq::context& c, const char* kind, std::int64_t n) {
        seen.push_back(std::string{c.queue_name()} + kind + std::to_string(n));
    };
    pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty, .queues = &names},
                  [&](const note& j, const pgq::context& c) { add(c, " note ", j.n); },
                  [&](const letter& j, const pgq::context& c) { add(c, " letter ", j.n); }};
    w.run().value();
    return seen;
}
std::vector<std::string> sorted(std::vector<std::string> all) {
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_CASE("a worker serves the names of a list, of a prefix, or all", "[worker][names]") {
    const pgq::driver::memory driver;
    const auto enqueue = [&] {
        for (const char* name : {"tenant-a", "tenant-b", "other"}) (void)named(driver, name).enqueue(note{}).value();
    };
    enqueue();
    CHECK(sorted(run_until_empty(driver, pgq::queue_names::of({"other", "tenant-b", "nobody"}))) ==
          std::vector<std::string>{"other note 0", "tenant-b note 0"});
    CHECK(run_until_empty(driver, pgq::queue_names::with_prefix("tenant-")) ==
          std::vector<std::string>{"tenant-a note 0"});
    enqueue();
    CHECK(run_until_empty(driver, pgq::queue_names::all()).size() == 3);
    CHECK(run_until_empty(driver, pgq::queue_names::all()).empty());
}

TEST_CASE("within a name the order by priority stays, over all entrypoints", "[worker][names]") {
    const pgq::driver::memory driver;
    for (const char* name : {"a", "b", "c"}) {
        auto jobs = named(driver, name);
        for (std::int16_t n = 0; n < 300; ++n) {
            if (n % 2 == 0) (void)jobs.enqueue(note{.n = n}, {.priority = n}).value();
            else (void)jobs.enqueue(letter{.n = n}, {.priority = n}).value();
        }
    }
    std::map<char, std::vector<std::string>> seen;
    for (const auto& line : run_until_empty(driver, pgq::queue_names::all())) seen[line[0]].push_back(line.substr(2));
    std::vector<std::string> expected;
    for (int n = 299; n >= 0; --n) expected.push_back((n % 2 == 0 ? "note " : "letter ") + std::to_string(n));
    CHECK(seen['a'] == expected);
    CHECK(seen['b'] == expected);
    CHECK(seen['c'] == expected);
}

TEST_CASE("a busy name does not starve others, whatever its priority", "[worker][names]") {
    const pgq::driver::memory driver;
    auto busy = named(driver, "busy");
    (void)busy.enqueue(std::vector<note>(20'000), {.priority = 100}).value();
    for (int i = 0; i < 40; ++i) (void)named(driver, "quiet " + std::to_string(i)).enqueue(note{}).value();
    const auto seen = run_until_empty(driver, pgq::queue_names::all());
    REQUIRE(seen.size() == 20'040);
    const auto last = std::find_if(seen.rbegin(), seen.rend(), [](const auto& s) { return s.starts_with("quiet"); });
    // All of them within the first half, though the busy name has the better jobs.
    CHECK(seen.rend() - last < 10'000);
}

TEST_CASE("a job of a name that is new wakes a sleeping worker", "[worker][names]") {
    using queue = tenant_queue<>;
    const pgq::driver::memory driver;
    auto jobs = named<queue>(driver, "unused");
    const auto names = pgq::queue_names::with_prefix("tenant-");
    std::atomic<int> ran{0};
    test::running_worker w{
        jobs, {.poll_interval = 1h, .queues = &names}, [&](const note&) { ++ran; }, [](const letter&) {}};
    for (int i = 0; i < 20; ++i) {
        (void)named<queue>(driver, "tenant-" + std::to_string(i)).enqueue(note{}).value();
        REQUIRE(test::eventually([&] { return ran == i + 1; }));
    }
}

TEST_CASE("a job that is retried at once and one that is due later run, in whichever name", "[worker][names]") {
    using queue = tenant_queue<>;
    const pgq::driver::memory driver;
    auto jobs = named<queue>(driver, "unused");
    const auto names = pgq::queue_names::all();
    std::atomic<int> ran{0}, failed{0};
    test::running_worker w{jobs,
                           {.poll_interval = 1h, .queues = &names},
                           [&](const note&, const pgq::context& c) -> pgq::outcome {
                               if (c.attempt() < 3) return ++failed, pgq::retry_after{0s, "again"};
                               ++ran;
                               return pgq::done{};
                           },
                           [&](const letter&) { ++ran; }};
    for (int i = 0; i < 30; ++i) {
        auto one = named<queue>(driver, "tenant " + std::to_string(i));
        (void)one.enqueue(note{}).value();
        (void)one.enqueue(letter{}, {.run_at = pgq::in(100ms)}).value();
    }
    CHECK(test::eventually([&] { return ran == 60; }));
    CHECK(failed == 60);
}

TEST_CASE("two workers of the same names share the jobs, each runs once", "[worker][names]") {
    using queue = tenant_queue<>;
    const pgq::driver::memory driver;
    auto jobs = named<queue>(driver, "unused");
    const auto names = pgq::queue_names::all();
    std::mutex mutex;
    std::map<std::pair<std::string, std::int64_t>, int> runs;
    const auto count = [&](const note& n, const pgq::context& c) {
        const std::lock_guard lock{mutex};
        ++runs[{std::string{c.queue_name()}, n.n}];
    };
    const pgq::worker_options options{.queues = &names};
    test::running_worker first{jobs, options, count, [](const letter&) {}};
    test::running_worker second{jobs, options, count, [](const letter&) {}};
    for (int i = 0; i < 50; ++i) (void)named<queue>(driver, std::to_string(i)).enqueue(test::notes(40)).value();
    CHECK(test::eventually([&] {
        const std::lock_guard lock{mutex};
        return runs.size() == 2000;
    }));
    CHECK(first.stop());
    CHECK(second.stop());
    CHECK(std::all_of(runs.begin(), runs.end(), [](const auto& r) { return r.second == 1; }));
}

TEST_CASE("a worker of one name tells its handlers that name", "[worker][names]") {
    const pgq::driver::memory driver;
    auto jobs = named(driver, "mails");
    (void)jobs.enqueue(note{}).value();
    std::string seen;
    test::run_until_empty(
        jobs, {}, [&](const note&, const pgq::context& c) { seen = c.queue_name(); }, [](const letter&) {});
    CHECK(seen == "mails");
}

TEST_CASE("a worker of many names refuses what it cannot keep", "[worker][names]") {
    const auto run = []<class Queue>(Queue jobs, const pgq::queue_names& names, pgq::run_until until) {
        pgq::worker w{jobs, pgq::worker_options{.until = until, .queues = &names}, [](const note&) {},
                      [](const letter&) {}};
        return w.run();
    };
    const auto all = pgq::queue_names::all();
    CHECK(run(in_place_queue{}, pgq::queue_names::of({}), pgq::run_until::empty).error() == pgq::errc::invalid_option);
    CHECK(run(in_place_queue{}, pgq::queue_names::of({"a", ""}), pgq::run_until::empty).error() ==
          pgq::errc::invalid_name);
    CHECK(run(in_place_queue{}, all, pgq::run_until::drained).error() == pgq::errc::invalid_option);
    CHECK(run(tenant_queue<pgq::limiter::concurrency<2>>{}, all, pgq::run_until::empty).error() ==
          pgq::errc::invalid_option);
    CHECK(run(tenant_queue<pgq::limiter::global_concurrency<2>>{}, all, pgq::run_until::empty).error() ==
          pgq::errc::invalid_option);
    CHECK(run(in_place_queue{}, all, pgq::run_until::empty));
}

}  // namespace unit_worker_names_many_names
