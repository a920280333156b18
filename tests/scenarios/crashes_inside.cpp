#include <support/catch.hpp>
#include <support/crash_test.hpp>
#include <support/eventually.hpp>
#include <support/proxy.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace scenarios_crashes_inside {

// One call may be several transactions in one pipeline. Here the connection breaks after each of these transactions.

using namespace std::chrono_literals;
using pgq::driver::libpq;
using test::crash_result;
using test::crash_test;
using test::note;
using test::succeeded;

namespace {

// Runs `program(queue)` over a proxy that breaks its connection after the first transaction, the second one, and so on,
// until no break happens. `program` returns a `judge(crash_result, was_cut)`.
template <class Program>
void cut_everywhere(crash_test<libpq>& site, Program program) {
    test::proxy between;
    bool was_cut = true;
    for (int n = 0; was_cut; ++n) {
        REQUIRE(n < 300);
        between.close_after(n);
        auto judge = [&] {
            test::crash_queue<libpq> jobs{libpq{between.options(site.home().db())}, {}, pgq::executor::thread_pool{2}};
            return program(jobs);
        }();
        was_cut = between.was_cut();
        INFO("connection broken after transaction " << n << (was_cut ? "" : ", which never came"));
        judge(site.clear_up(), was_cut);
    }
}

}  // namespace

TEST_CASE("an enqueue whose connection breaks at any point of its pipeline stores all of its jobs or none",
          "[scenario][crash][flow]") {
    crash_test<libpq> site;
    cut_everywhere(site, [](auto& jobs) {
        std::map<std::int64_t, bool> returned;
        returned[1] = succeeded(jobs.enqueue(note{.n = 1}));
        returned[2] = succeeded(jobs.enqueue(std::array{note{.n = 2}, note{.n = 3}}, {.priority = 1}));
        returned[4] = succeeded(jobs.enqueue(note{.n = 4}, {.unique_key = "k", .keep_outcome = 1h}));
        returned[6] = succeeded(jobs.chain(note{.n = 6}).then(note{.n = 7}, {.unique_key = "l"}).enqueue());
        return [returned](const crash_result& left, bool was_cut) {
            int failed = 0;
            for (const auto& [n, well] : returned) {
                CHECK(left.ran(n) <= 1);
                if (well) CHECK(left.ran(n) == 1);
                failed += well ? 0 : 1;
            }
            CHECK(left.ran(3) == left.ran(2));
            CHECK(left.ran(7) == left.ran(6));
            CHECK(failed <= (was_cut ? 1 : 0));
        };
    });
}

TEST_CASE("a worker whose connection breaks at any point of a pipeline runs each attempt once and loses no job",
          "[scenario][crash]") {
    crash_test<libpq> site;
    cut_everywhere(site, [&site](auto& jobs) {
        auto& healthy = site.healthy();
        (void)healthy.enqueue(test::notes(6)).value();
        auto flow = healthy.flow();
        auto good = flow.add(note{.n = 8}, {.unique_key = "good", .keep_outcome = 1h});
        auto bad = flow.add(note{.n = 11}, {.keep_outcome = 1h});
        flow.add(note{.n = 12}).after(good);
        flow.add(note{.n = 16}, {.if_parent_fails = pgq::parent_failure::run}).after(bad);
        (void)flow.enqueue().value();
        test::run_log seen;
        {
            // Wake-ups for jobs that become claimable are sent after the commit. A broken connection loses them, so
            // this worker polls often.
            const pgq::worker_options often{.lease_time = 1h, .poll_interval = 50ms};
            const auto handler = [&](const note& n, const pgq::context& c) -> pgq::outcome {
                seen.add(n.n, c);
                if (n.n % 4 == 1 && c.attempt() == 1) throw std::runtime_error{"once"};
                if (n.n % 4 == 2 && c.attempt() == 1) return pgq::retry_after{5ms};
                if (n.n % 4 == 3) return pgq::hold{"look"};
                return pgq::done{};
            };
            bool started = false;
            for (int tries = 0; tries < 2 && !started; ++tries) {
                test::running_worker w{jobs, often, handler};
                const pgq::lane_counts all_held{.held = 2};
                REQUIRE(test::eventually(
                    [&] { return w.is_over() || healthy.template counts<note>().value() == all_held; }));
                started = succeeded(w.stop());
            }
            CHECK(started);
        }
        return [runs = seen.runs()](const crash_result& left, bool) {
            for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 8, 11, 12, 16}) {
                INFO("job " << n);
                CHECK((runs.contains(n) ? runs.at(n) : 0) == (n % 4 == 1 || n % 4 == 2 ? 2 : 1));
                CHECK(left.ran(n) == 0);
                CHECK(left.is_held(n) == (n % 4 == 3 ? 1 : 0));
            }
        };
    });
}

TEST_CASE("a polled job whose acknowledgement breaks at any point of its pipeline is done once or comes again",
          "[scenario][crash][poll]") {
    crash_test<libpq> site;
    cut_everywhere(site, [&site](auto& jobs) {
        (void)site.healthy().enqueue(test::notes(3)).value();
        (void)site.healthy().enqueue(note{.n = 3}, {.keep_outcome = 1h}).value();
        std::map<std::int64_t, bool> answered;
        {
            auto polled = jobs.template poll<note>({.timeout = 0s, .prefetch = 2, .lease_time = 1h});
            for (int tries = 0; tries < 8; ++tries) {
                auto job = polled.next();
                if (!succeeded(job) || !*job) continue;
                const auto said =
                    (**job)->n == 1 && (**job).attempts() == 1 ? (**job).retry(0s, "again") : (**job).ack();
                answered[(**job)->n] = said.has_value() && ((**job)->n != 1 || (**job).attempts() > 1);
            }
        }
        return [answered](const crash_result& left, bool was_cut) {
            for (std::int64_t n = 0; n < 4; ++n) {
                CHECK(left.left(n) <= 1);
                const bool done = answered.contains(n) && answered.at(n);
                if (done) CHECK(left.left(n) == 0);
                if (!was_cut) CHECK(done);
                if (!answered.contains(n)) CHECK(left.left(n) == 1);
            }
        };
    });
}

}  // namespace scenarios_crashes_inside
