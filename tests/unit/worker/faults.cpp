#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "unit/worker/faulty.hpp"
#include "unit/worker/mixed_jobs.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace unit_worker_faults {

using namespace std::chrono_literals;
using pgq::errc;
using test::fault;
using test::fault_plan;
using test::verb;

namespace {

constexpr std::int64_t many = 200;

const fault lost_before{.error = errc::connection_lost, .performed = false};
const fault lost_after{.error = errc::connection_lost, .performed = true};
const fault refused{.error = pgq::error_info{pgq::make_sqlstate("22021")}};    // permanent
const fault contended{.error = pgq::error_info{pgq::make_sqlstate("40P01")}};  // retried at once
const fault full{.error = pgq::error_info{pgq::make_sqlstate("53100")}};       // retried later
const fault shut_down{.error = pgq::error_info{pgq::make_sqlstate("57P01")}};

struct run_result {
    std::string describe_errors{};
    std::shared_ptr<fault_plan> plan{};
};

// A whole run with these faults: every job ends once, within the time limit.
template <class Executor>
run_result attempt(fault_plan::rule rule, Executor executor, std::int64_t job_count = many, bool may_be_held = false) {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, Executor>;
    const auto plan = std::make_shared<fault_plan>(std::move(rule));
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}, {}, executor};
    test::mixed_jobs mixed{job_count};
    jobs.enqueue(test::notes(job_count)).value();
    pgq::worker w{jobs, test::mixed_options(), [&](const test::note& job) { return mixed.run(job); }};
    std::stop_source stop;
    auto running = std::async(std::launch::async, [&] { return w.run(stop.get_token()); });
    if (running.wait_for(test::test_timeout) != std::future_status::ready) {
        stop.request_stop();
        return {"run() does not end", plan};
    }
    if (auto went = running.get(); !went) return {"run() failed: " + went.error().text(), plan};
    return {mixed.describe_errors(jobs, true, may_be_held), plan};
}

struct scenario {
    std::string name;
    std::function<run_result()> run;
};

// The scenarios mostly wait for reconnects, so many of them run at once. Assertions must be made in this thread.
void check_all(const std::vector<scenario>& all) {
    std::atomic<std::size_t> next{0}, failed_verb{0};
    std::mutex mutex;
    std::vector<std::string> complaints;
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 24; ++i)
            threads.emplace_back([&] {
                for (std::size_t k; (k = next++) < all.size();) {
                    const auto t = all[k].run();
                    failed_verb += t.plan->failed_verb() == 0 ? 0 : 1;
                    if (t.describe_errors.empty()) continue;
                    const std::lock_guard lock{mutex};
                    complaints.push_back(all[k].name + ": " + t.describe_errors);
                }
            });
    }
    CHECK(failed_verb >= all.size() / 2);  // the number of calls differs from run to run
    for (const auto& c : complaints) FAIL_CHECK(c);
}

std::size_t calls_of(verb v) {
    const auto quiet = attempt({}, pgq::executor::in_place{});
    REQUIRE(quiet.describe_errors == "");
    return quiet.plan->count(v);
}

scenario one_fault(std::string name, fault_plan::rule rule) {
    return {std::move(name), [rule = std::move(rule)] { return attempt(rule, pgq::executor::in_place{}); }};
}
// With threads, so that a lease is acknowledged in parts.
scenario one_fault_of_threads(std::string name, fault_plan::rule rule) {
    return {std::move(name) + " (threads)",
            [rule = std::move(rule)] { return attempt(rule, pgq::executor::thread_pool{2}); }};
}

}  // namespace

TEST_CASE("without faults every job ends once, with its outcome", "[worker][faults]") {
    CHECK(attempt({}, pgq::executor::in_place{}).describe_errors == "");
    CHECK(attempt({}, pgq::executor::thread_pool{3}).describe_errors == "");
}

TEST_CASE("wherever a sync fails, no job is lost and none runs without effect", "[worker][faults]") {
    const std::size_t most = calls_of(verb::sync) + 5;
    std::vector<scenario> all;
    const std::pair<const char*, fault> faults[] = {{"is lost before it is performed", lost_before},
                                                    {"is performed, but its answer lost", lost_after},
                                                    {"is refused", refused},
                                                    {"meets contention", contended},
                                                    {"meets a full disk", full},
                                                    {"meets a shutdown", shut_down}};
    for (const auto& [name, f] : faults)
        for (std::size_t n = 1; n <= most; ++n) {
            const auto what = "sync " + std::to_string(n) + " " + name;
            all.push_back(one_fault(what, fault_plan::at(verb::sync, n, f)));
            all.push_back(one_fault_of_threads(what, fault_plan::at(verb::sync, n, f)));
        }
    check_all(all);
}

TEST_CASE("a connection that breaks again during the recovery does no harm", "[worker][faults]") {
    const std::size_t most = calls_of(verb::sync);
    std::vector<scenario> all;
    const std::pair<std::string, fault_plan::rule> second[] = {
        {"the next connect fails", fault_plan::at(verb::connect, 2, lost_before)},
        {"leases_of fails", fault_plan::at(verb::leases_of, 1, lost_before)},
        {"leases_of is refused", fault_plan::at(verb::leases_of, 1, refused)},
        {"give_back fails", fault_plan::at(verb::give_back, 1, lost_before)},
        {"give_back is performed, but fails", fault_plan::at(verb::give_back, 1, lost_after)}};
    for (std::size_t n = 1; n <= most; n += 3)
        for (const auto& [name, rule] : second)
            all.push_back(one_fault("sync " + std::to_string(n) + " is lost, then " + name,
                                    fault_plan::any({fault_plan::at(verb::sync, n, lost_after), rule})));
    check_all(all);
}

TEST_CASE("the sync after a refused one may fail, too", "[worker][faults]") {
    const std::size_t most = calls_of(verb::sync);
    std::vector<scenario> all;
    for (std::size_t n = 1; n <= most; n += 2)
        for (const auto& [name, f] :
             {std::pair{"lost before", lost_before}, {"lost after", lost_after}, {"contended", contended}})
            all.push_back(one_fault(
                "sync " + std::to_string(n) + " is refused, the next " + name,
                fault_plan::any({fault_plan::at(verb::sync, n, refused), fault_plan::at(verb::sync, n + 1, f)})));
    check_all(all);
}

TEST_CASE("after a wait that fails the worker reconnects", "[worker][faults]") {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, pgq::executor::thread_pool>;
    const auto plan = std::make_shared<fault_plan>([](verb v, std::size_t n, const pgq::sync_request*) {
        return v == verb::wait && n <= 3 ? std::optional{lost_before} : std::nullopt;
    });
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}, {}, pgq::executor::thread_pool{2}};
    test::mixed_jobs mixed{many};
    test::running_worker w{jobs, test::mixed_options(pgq::run_until::stopped),
                           [&](const test::note& job) { return mixed.run(job); }};
    REQUIRE(test::eventually([&] { return plan->count(verb::connect) == 4; }));
    jobs.enqueue(test::notes(many)).value();
    CHECK(test::eventually([&] { return mixed.describe_errors(jobs, true).empty(); }));
    w.stop().value();
}

TEST_CASE("a connection that breaks during the check for late claims, and again during the recovery, is replaced",
          "[worker][faults]") {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, pgq::executor::in_place>;
    // The worker asks for its leases twice after it has reconnected, once more after a lease time, and first on the
    // next connection.
    const auto plan = std::make_shared<fault_plan>(
        fault_plan::any({fault_plan::at(verb::wait, 1, lost_before), fault_plan::at(verb::leases_of, 3, lost_before),
                         fault_plan::at(verb::leases_of, 4, lost_before)}));
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}};
    test::mixed_jobs mixed{many};
    auto options = test::mixed_options(pgq::run_until::stopped);
    options.lease_time = 1s;
    test::running_worker w{jobs, options, [&](const test::note& job) { return mixed.run(job); }};
    REQUIRE(test::eventually([&] { return plan->count(verb::leases_of) >= 6; }));
    CHECK(plan->count(verb::connect) == 4);
    jobs.enqueue(test::notes(many)).value();
    CHECK(test::eventually([&] { return mixed.describe_errors(jobs, true).empty(); }));
    w.stop().value();
}

TEST_CASE("a count of deferred jobs may fail", "[worker][faults]") {
    check_all({one_fault("counts are lost", fault_plan::at(verb::counts, 1, lost_before)),
               one_fault("counts are refused", fault_plan::at(verb::counts, 1, refused))});
}

TEST_CASE("a worker that cannot unregister has ended all the same", "[worker][faults]") {
    check_all({one_fault("retire is lost", fault_plan::at(verb::retire, 1, lost_before)),
               one_fault("retire is lost after", fault_plan::at(verb::retire, 1, lost_after)),
               one_fault("retire is refused", fault_plan::at(verb::retire, 1, refused))});
}

TEST_CASE("a worker that cannot start returns the error", "[worker][faults]") {
    const auto failure = [](fault_plan::rule r) {
        return attempt(std::move(r), pgq::executor::in_place{}).describe_errors;
    };
    CHECK(failure(fault_plan::at(verb::connect, 1, refused)).find("run() failed") == 0);
    CHECK(failure(fault_plan::at(verb::register_worker, 1, refused)).find("run() failed") == 0);
}

TEST_CASE("a worker whose first connection is lost tries again", "[worker][faults]") {
    check_all({one_fault("the first connection", fault_plan::at(verb::connect, 1, lost_before))});
}

TEST_CASE("a connection that breaks all the time only makes the worker slower", "[worker][faults]") {
    std::vector<scenario> all;
    for (unsigned seed = 1; seed <= 24; ++seed)
        all.push_back({"seed " + std::to_string(seed), [seed] {
                           std::minstd_rand random{seed};
                           auto rule = [random](verb v, std::size_t n,
                                                const pgq::sync_request*) mutable -> std::optional<fault> {
                               if (v == verb::connect && n == 1) return {};
                               if (v != verb::sync && v != verb::wait && v != verb::connect) return {};
                               const auto dice = random() % 32;
                               return dice == 0   ? std::optional{lost_before}
                                      : dice == 1 ? std::optional{lost_after}
                                                  : std::nullopt;
                           };
                           return attempt(rule, pgq::executor::thread_pool{2});
                       }});
    check_all(all);
}

TEST_CASE("if any statement may be refused, every job still ends exactly once, done or held", "[worker][faults]") {
    std::vector<scenario> all;
    for (const auto* f : {&refused, &contended, &full})
        for (const std::size_t every : {2u, 3u, 7u})
            all.push_back({f->error.text() + " every " + std::to_string(every), [=] {
                               const auto rule = [=](verb v, std::size_t n, const pgq::sync_request*) {
                                   return v == verb::sync && n % every == 0 ? std::optional{*f} : std::nullopt;
                               };
                               return attempt(rule, pgq::executor::in_place{}, 50, f == &refused);
                           }});
    check_all(all);
}

namespace {

// Whether a sync would settle an item of this kind.
bool settles(const pgq::sync_request* r, pgq::settle_kind kind) {
    if (r == nullptr) return false;
    for (const auto& g : r->progressed)
        for (const auto& i : g.items)
            if (i.kind == kind) return true;
    return false;
}

}  // namespace

TEST_CASE("a job whose outcome the database refuses is held with the reason, and no other job is affected",
          "[worker][faults]") {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, pgq::executor::in_place>;
    const auto plan = std::make_shared<fault_plan>([](verb v, std::size_t, const pgq::sync_request* r) {
        return v == verb::sync && settles(r, pgq::settle_kind::retry) ? std::optional{refused} : std::nullopt;
    });
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}};
    jobs.enqueue(test::notes(20)).value();
    test::run_until_empty(jobs, test::mixed_options(), [&](const test::note& job) -> pgq::outcome {
        if (job.n % 5 == 0) return pgq::retry_after{{}, "refused by the database"};
        if (job.n % 5 == 1) return pgq::hold{"wanted"};
        return pgq::done{};
    });
    const auto counts = jobs.counts<test::note>().value();
    CHECK(counts == pgq::lane_counts{.held = 8});
    int noted = 0, wanted = 0;
    const auto held = jobs.held<test::note>().value();
    for (const auto& h : held) {
        noted += h.reason.find("the outcome could not be stored") == 0 ? 1 : 0;
        wanted += h.reason == "wanted" ? 1 : 0;
    }
    CHECK(noted == 4);
    CHECK(wanted == 4);
}

TEST_CASE("a job of which no outcome can be stored is given back when the worker ends", "[worker][faults]") {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, pgq::executor::in_place>;
    const auto plan = std::make_shared<fault_plan>([](verb v, std::size_t, const pgq::sync_request* r) {
        const bool any = settles(r, pgq::settle_kind::retry) || settles(r, pgq::settle_kind::hold);
        return v == verb::sync && any ? std::optional{refused} : std::nullopt;
    });
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}};
    jobs.enqueue(test::notes(20)).value();
    test::run_until_empty(jobs, test::mixed_options(), [&](const test::note& job) -> pgq::outcome {
        if (job.n == 7) return pgq::retry_after{{}, "refused by the database"};
        return pgq::done{};
    });
    CHECK(jobs.counts<test::note>().value() == pgq::lane_counts{.ready = 1});
}

TEST_CASE("a claim that always fails does not block acknowledgements", "[worker][faults]") {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, pgq::executor::thread_pool>;
    std::atomic<bool> broken{false};
    const auto plan = std::make_shared<fault_plan>([&](verb v, std::size_t, const pgq::sync_request* r) {
        return v == verb::sync && broken && r->limit > 0 ? std::optional{refused} : std::nullopt;
    });
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(1)).value();
    test::running_worker w{jobs, test::mixed_options(pgq::run_until::stopped),
                           [&](const test::note&) { broken = true; }};
    CHECK(test::eventually([&] { return jobs.counts<test::note>().value() == pgq::lane_counts{}; }));
    w.stop().value();
}

TEST_CASE("a worker that is told to stop ends even if the database accepts nothing any more", "[worker][faults]") {
    using queue = test::mixed_queue<test::faulty<pgq::driver::memory>, pgq::executor::thread_pool>;
    std::atomic<bool> gone{false};
    const auto f = GENERATE(lost_before, refused, contended);
    const bool all_is_lost = GENERATE(false, true);
    const auto plan = std::make_shared<fault_plan>([&](verb v, std::size_t, const pgq::sync_request*) {
        if (v == verb::wait && !all_is_lost) return std::optional<fault>{};
        return gone ? std::optional{f} : std::nullopt;
    });
    queue jobs{test::faulty<pgq::driver::memory>{pgq::driver::memory{}, plan}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::note{}).value();
    auto options = test::mixed_options(pgq::run_until::stopped);
    options.grace = 50ms;
    std::atomic<bool> interrupted{false};
    test::gate never;
    test::running_worker w{jobs, options, [&](const test::note&, pgq::context& c) {
                               gone = true;
                               interrupted = !never.pass(c);
                           }};
    REQUIRE(test::eventually([&] { return gone.load(); }));
    const auto before = std::chrono::steady_clock::now();
    w.request_stop();
    CHECK(test::eventually(20s, [&] { return w.is_over(); }));
    CHECK(std::chrono::steady_clock::now() - before < 10s);
    CHECK(interrupted);
}

}  // namespace unit_worker_faults
