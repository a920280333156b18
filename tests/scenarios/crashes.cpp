#include <support/catch.hpp>
#include <support/crash_test.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace scenarios_crashes {

// Each program here crashes before and after each of its calls to the database: once its connection alone, once the
// whole process.

using namespace std::chrono_literals;
using pgq::driver::libpq;
using pgq::driver::memory;
using test::crash_plan;
using test::crash_result;
using test::crash_test;
using test::note;
using test::succeeded;

namespace {

// The jobs of one call, and whether it returned.
struct call_of_jobs {
    bool returned;
    std::vector<std::int64_t> jobs;
};

// A call stores all of its jobs or none, and all of them if it returned.
void check_calls(const std::vector<call_of_jobs>& calls, const crash_result& left, const crash_plan& plan) {
    int lost = 0;
    for (const auto& c : calls) {
        const int first = left.left(c.jobs.front());
        CHECK(first <= 1);
        for (const auto n : c.jobs) CHECK(left.left(n) == first);
        if (c.returned) CHECK(first == 1);
        else ++lost;
        if (!c.returned && !plan.was_lost_after()) CHECK(first == 0);
    }
    if (plan.failed_verb().empty()) CHECK(lost == 0);
    if (!plan.is_of_process()) CHECK(lost <= 1);
}

// What the worker does in the first attempt: 0 done, 1 fails, 2 retries later, 3 holds.
int kind_of(std::int64_t n) { return n < 50 ? static_cast<int>(n % 4) : 0; }

std::size_t place_of(const std::vector<std::int64_t>& order, std::int64_t n) {
    return static_cast<std::size_t>(std::find(order.begin(), order.end(), n) - order.begin());
}

}  // namespace

TEMPLATE_TEST_CASE("an enqueue that crashes stores all of its jobs or none, and all of them if it returned",
                   "[scenario][crash]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([](auto& jobs, const crash_plan&) {
        std::vector<call_of_jobs> calls;
        const auto put = [&](std::int64_t first, std::int64_t count, const pgq::enqueue_options& options) {
            std::vector<note> some;
            call_of_jobs c{false, {}};
            for (std::int64_t n = first; n < first + count; ++n) some.push_back({.n = n}), c.jobs.push_back(n);
            c.returned = succeeded(jobs.enqueue(some, options));
            calls.push_back(std::move(c));
        };
        put(1, 1, {});
        put(10, 5, {.priority = 3});
        put(20, 2, {.run_at = pgq::in(1h)});
        put(30, 3, {.expected_at = pgq::in(1min)});
        return [calls](const crash_result& left, const crash_plan& plan) { check_calls(calls, left, plan); };
    });
}

TEMPLATE_TEST_CASE(
    "tracked jobs, keys and flows whose enqueue crashes are stored whole or not at all, and no job stays blocked",
    "[scenario][crash][flow][unique]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        std::vector<call_of_jobs> calls;
        const auto first = jobs.enqueue(note{.n = 1}, {.unique_key = "k", .keep_outcome = 1h});
        const bool keyed = succeeded(first);
        const auto second = jobs.enqueue(note{.n = 2}, {.unique_key = pgq::unique{"k"}.or_replace()});
        const bool replaced = succeeded(second);
        const auto third = jobs.enqueue(note{.n = 3}, {.unique_key = pgq::unique{"other"}.or_fail()});
        calls.push_back({succeeded(third), {3}});

        auto flow = jobs.flow();
        auto left = flow.add(note{.n = 10}), right = flow.add(note{.n = 11}, {.run_at = pgq::in(1h)});
        flow.add(note{.n = 12}).after(left, right);
        calls.push_back({succeeded(flow.enqueue()), {10, 11, 12}});
        calls.push_back({succeeded(jobs.chain(note{.n = 30}).then(note{.n = 31}).enqueue()), {30, 31}});
        if (third) {
            const std::array<pgq::job_id, 1> parent{*third};
            calls.push_back({succeeded(jobs.enqueue(note{.n = 40}, {.after = parent})), {40}});
        }
        return [=, &site](const crash_result& found, const crash_plan& plan) {
            check_calls(calls, found, plan);
            CHECK(found.left(1) + found.left(2) <= 1);
            if (keyed || replaced) CHECK(found.left(1) + found.left(2) == 1);
            if (replaced) CHECK(found.left(2) == 1);
            for (const auto& [parent, child] :
                 std::map<std::int64_t, std::int64_t>{{10, 12}, {11, 12}, {30, 31}, {3, 40}})
                if (found.ran(child) == 1) CHECK(place_of(found.order, parent) < place_of(found.order, child));
            // The keys are free.
            for (const auto* key : {"k", "other"}) {
                const auto again = site.healthy().enqueue(note{.n = 99}, {.unique_key = key}).value();
                CHECK(again.is_new());
                CHECK(again.cancel().value().removed == 1);
            }
        };
    });
}

TEMPLATE_TEST_CASE("get returns each job at most once, and loses one only if the answer to its statement is lost",
                   "[scenario][crash][get]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        (void)site.healthy().enqueue(test::notes(4)).value();
        (void)site.healthy().enqueue(note{.n = 4}, {.keep_outcome = 1h}).value();
        std::map<std::int64_t, int> got;
        for (int tries = 0; tries < 8; ++tries)
            if (auto job = jobs.template get<note>({.timeout = 0s}); succeeded(job) && *job) ++got[(**job)->n];
        return [got](const crash_result& left, const crash_plan& plan) {
            int lost = 0;
            for (std::int64_t n = 0; n < 5; ++n) {
                const int times = (got.contains(n) ? got.at(n) : 0) + left.left(n);
                CHECK(times <= 1);
                lost += 1 - times;
            }
            CHECK(lost == (plan.was_lost_after() && plan.failed_verb() == "take" && lost > 0 ? 1 : 0));
        };
    });
}

TEMPLATE_TEST_CASE("a transaction that crashes has both taken and enqueued, or neither",
                   "[scenario][crash][transaction]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        (void)site.healthy().enqueue(test::notes(3)).value();
        int committed = 0;
        for (int tries = 0; tries < 3; ++tries) {
            const auto done = jobs.transaction([](auto& tx) -> pgq::result<void> {
                auto job = tx.template take<note>();
                if (!job) return job.error();
                if (!*job) return {};
                auto next = tx.enqueue(note{.n = (**job)->n + 100});
                if (!next) return next.error();
                return {};
            });
            committed += succeeded(done) ? 1 : 0;
        }
        return [committed](const crash_result& left, const crash_plan& plan) {
            int moved = 0;
            for (std::int64_t n = 0; n < 3; ++n) {
                CHECK(left.left(n) + left.left(n + 100) == 1);
                moved += left.left(n + 100);
            }
            // The answer to the commit may be lost.
            const int most = committed + (plan.was_lost_after() && plan.failed_verb() == "commit" ? 1 : 0);
            CHECK(moved == most);
        };
    });
}

TEMPLATE_TEST_CASE("a polled job never comes again if its acknowledgement returned, and comes again otherwise",
                   "[scenario][crash][poll]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        (void)site.healthy().enqueue(test::notes(6)).value();
        (void)site.healthy().enqueue(note{.n = 6}, {.keep_outcome = 1h}).value();
        std::map<std::int64_t, int> acked, held, doubtful;
        {
            auto polled = jobs.template poll<note>({.timeout = 0s, .prefetch = 3, .lease_time = 1h});
            for (int tries = 0; tries < 14; ++tries) {
                auto job = polled.next();
                if (!succeeded(job) || !*job) continue;
                const auto n = (**job)->n;
                const bool retries = n % 3 == 1 && (**job).attempts() == 1;
                const auto said = retries      ? (**job).retry(0s, "again")
                                  : n % 3 == 2 ? (**job).hold("look")
                                               : (**job).ack();
                if (said && !retries) ++(n % 3 == 2 ? held : acked)[n];
                if (!said) {
                    const bool known =
                        said.error() == pgq::errc::connection_lost || said.error() == pgq::errc::lease_lost;
                    CHECK(known);
                    ++doubtful[n];
                }
            }
        }
        return [=](const crash_result& left, const crash_plan& plan) {
            for (std::int64_t n = 0; n < 7; ++n) {
                if (held.contains(n)) CHECK(left.is_held(n) == 1);
                if (acked.contains(n)) CHECK(left.left(n) == 0);
                CHECK(left.left(n) <= 1);
                if (!acked.contains(n) && !doubtful.contains(n)) CHECK(left.left(n) == 1);
                if (left.left(n) == 0 && !plan.was_lost_after()) CHECK(acked.contains(n));
            }
        };
    });
}

TEMPLATE_TEST_CASE("a worker that crashes loses no job, and runs none twice if only its connection breaks",
                   "[scenario][crash]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan& plan) {
        auto& healthy = site.healthy();
        (void)healthy.enqueue(test::notes(8)).value();
        auto flow = healthy.flow();
        auto good = flow.add(note{.n = 8}, {.unique_key = "good", .keep_outcome = 1h});
        auto bad = flow.add(note{.n = 11}, {.unique_key = "bad", .keep_outcome = 1h});
        flow.add(note{.n = 50}).after(good);
        flow.add(note{.n = 51}, {.if_parent_fails = pgq::parent_failure::run}).after(bad);
        flow.add(note{.n = 52}, {.if_parent_fails = pgq::parent_failure::cancel}).after(bad);
        const auto put = flow.enqueue().value();
        const std::array<pgq::job_id, 2> parents{put[0].id, put[1].id};

        test::run_log seen;
        pgq::worker w{jobs, site.options(), [&](const note& n, const pgq::context& c) -> pgq::outcome {
                          seen.add(n.n, c);
                          if (kind_of(n.n) == 1 && c.attempt() == 1) throw std::runtime_error{"once"};
                          if (kind_of(n.n) == 2 && c.attempt() == 1) return pgq::retry_after{0ms};
                          if (kind_of(n.n) == 3) return pgq::hold{"look"};
                          return pgq::done{};
                      }};
        // If the worker cannot start, run() returns an error.
        bool over = succeeded(w.run(plan.death()));
        if (!over && !plan.is_dead()) over = succeeded(w.run(plan.death()));
        if (!plan.is_dead()) CHECK(over);

        return [=, &site, program = seen.runs()](const crash_result& left, const crash_plan& what) {
            for (const std::int64_t n : {0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 50, 51}) {
                INFO("job " << n);
                const int wanted = kind_of(n) == 1 || kind_of(n) == 2 ? 2 : 1;
                const int ran = program.contains(n) ? program.at(n) : 0;
                CHECK(left.left(n) <= 1);
                if (what.is_of_process()) {
                    CHECK(ran + left.left(n) >= 1);
                    CHECK(ran <= wanted);
                } else {
                    CHECK(ran == wanted);
                    CHECK(left.ran(n) == 0);
                    CHECK(left.is_held(n) == (kind_of(n) == 3 ? 1 : 0));
                }
            }
            const auto ends = site.healthy().wait_for(parents, 10s).value();
            CHECK(ends[0].kind == pgq::end_kind::done);
            // The program held it and it was cancelled in the end, or a later worker ran it.
            CHECK(ends[1].kind == (left.is_held(11) == 1 ? pgq::end_kind::cancelled : pgq::end_kind::done));
            CHECK(left.ran(52) == (left.ran(11) == 1 ? 1 : 0));
            for (const auto* key : {"good", "bad"}) {
                const auto again = site.healthy().enqueue(note{.n = 99}, {.unique_key = key}).value();
                CHECK(again.is_new());
                CHECK(again.cancel().value().removed == 1);
            }
        };
    });
}

TEMPLATE_TEST_CASE("a cancel that crashes ends all jobs or none, and a second call ends all of them and their waiters",
                   "[scenario][crash][cancel]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        auto& healthy = site.healthy();
        const auto first = healthy.enqueue(note{.n = 1}, {.unique_key = "k", .keep_outcome = 1h}).value();
        const auto later = healthy.enqueue(note{.n = 2}, {.run_at = pgq::in(1h)}).value();
        const std::array<pgq::job_id, 1> parent{first};
        const auto child =
            healthy
                .enqueue(note{.n = 3},
                         {.after = parent, .if_parent_fails = pgq::parent_failure::cancel, .keep_outcome = 1h})
                .value();
        const auto hopeful = healthy.enqueue(note{.n = 4}, {.after = parent}).value();
        const auto untouched = healthy.enqueue(note{.n = 5}).value();
        (void)untouched;

        const std::array<pgq::job_id, 3> ended{first, later, hopeful};
        std::int64_t removed = 0;
        bool said = false;
        for (int tries = 0; tries < 2 && !said; ++tries) {
            const auto answer = jobs.cancel(ended);
            said = succeeded(answer);
            if (said) removed = answer->removed;
        }
        return [=, &site](const crash_result& left, const crash_plan& plan) {
            const bool first_time = !plan.was_lost_after() || plan.failed_verb() != "cancel";
            if (said) CHECK(removed == (first_time ? 3 : 0));
            CHECK(left.left(5) == 1);
            const int rest = left.left(1);
            if (said) CHECK(rest == 0);
            for (const std::int64_t n : {2, 3, 4}) CHECK(left.left(n) == rest);
            const std::array<pgq::job_id, 2> reported{first, child};
            for (const auto& end : site.healthy().wait_for(reported, 10s).value())
                CHECK(end.kind == (rest == 0 ? pgq::end_kind::cancelled : pgq::end_kind::done));
            const auto again = site.healthy().enqueue(note{.n = 99}, {.unique_key = "k"}).value();
            CHECK(again.is_new());
            CHECK(again.cancel().value().removed == 1);
        };
    });
}

TEMPLATE_TEST_CASE("waiters receive the ends of their jobs wherever the connection breaks",
                   "[scenario][crash][completion]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan& plan) {
        auto& healthy = site.healthy();
        const auto tracked = healthy.enqueue(note{.n = 1}, {.keep_outcome = 1h}).value();
        const auto plain = healthy.enqueue(note{.n = 2}).value();
        const std::array<pgq::job_id, 2> both{tracked, plain};
        // This wait tracks the job that was not tracked before.
        const auto early = jobs.wait_for(both, 0s);
        REQUIRE_FALSE(early);
        const bool asked = early.error() == pgq::errc::timeout;
        if (!asked) CHECK_FALSE(succeeded(early));
        test::run_log seen;
        pgq::result<std::vector<pgq::ended_job>> ends = pgq::errc::timeout;
        {
            // If the process is dead, nobody waits.
            std::jthread waits{[&] { ends = jobs.wait_for(both, plan.is_of_process() ? 0s : test::test_timeout); }};
            // A new waiter locks its jobs for a moment. A worker that stops when the queue is empty passes over locked
            // jobs.
            CHECK(test::eventually([&] { return site.run_until_empty(seen), seen.size() >= 2; }));
        }
        if (!plan.is_of_process()) {
            REQUIRE(ends);
            CHECK((*ends)[0].kind == pgq::end_kind::done);
            if (asked) CHECK((*ends)[1].kind == pgq::end_kind::done);
            else CHECK((*ends)[1].id == plain);
        }
        CHECK(seen.each_ran_once(2));
        return [=, &site](const crash_result& left, const crash_plan&) {
            CHECK(left.runs.empty());
            CHECK(site.healthy().wait_for(tracked, 10s).value().kind == pgq::end_kind::done);
        };
    });
}

namespace {

// A session that claims without a worker.
template <class Session>
pgq::sync_reply claim(Session& s, pgq::worker_id worker, pgq::lane_id lane, std::int16_t max_attempts) {
    const std::array<pgq::claim_lane, 1> lanes{{{.lane = lane, .max_attempts = max_attempts}}};
    pgq::sync_reply reply;
    s.sync({.worker = worker, .lanes = lanes, .limit = 100}, reply).value();
    return reply;
}
template <class Session>
pgq::worker_id enlist(Session& s, const std::vector<pgq::lane_id>& lanes) {
    return s.register_worker({.host = "here", .pid = 1, .version = "0", .lease_time = 1h, .lanes = lanes}).value();
}

}  // namespace

TEMPLATE_TEST_CASE("a rescue that crashes gives back all jobs or none, and a second rescue gives back all of them",
                   "[scenario][crash]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        const auto lanes = site.healthy().lanes().value();
        (void)site.healthy().enqueue(test::notes(3)).value();
        (void)site.healthy().enqueue(note{.n = 3}, {.unique_key = "k"}).value();
        {
            auto dead = site.home().healthy_driver().connect(pgq::session_role::worker).value();
            CHECK(claim(dead, enlist(dead, lanes), lanes[0], 20).claimed() == 4);
            (void)site.healthy().enqueue(note{.n = 4}, {.keep_outcome = 1h}).value();
            CHECK(claim(dead, enlist(dead, lanes), lanes[0], 1).claimed() == 1);
        }
        site.home().age();
        pgq::rescue_reply sum;
        bool rescued = false;
        for (int tries = 0; tries < 3 && !rescued; ++tries) {
            auto monitor = jobs.driver().connect(pgq::session_role::monitor);
            if (!succeeded(monitor)) continue;
            const auto answer = monitor->rescue();
            rescued = succeeded(answer);
            if (answer) sum = *answer;
        }
        return [=](const crash_result& left, const crash_plan& plan) {
            if (rescued) CHECK(sum.returned == (plan.was_lost_after() && plan.failed_verb() == "rescue" ? 0 : 4));
            for (std::int64_t n = 0; n < 4; ++n) {
                CHECK(left.ran(n) == 1);
                CHECK(left.last_attempt.at(n) == 1);  // it was one of several
            }
            CHECK(left.is_held(4) == 1);
        };
    });
}

TEMPLATE_TEST_CASE("a worker that crashes while it unregisters has given its jobs back, or they are rescued",
                   "[scenario][crash]", memory, libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        const auto lanes = site.healthy().lanes().value();
        (void)site.healthy().enqueue(test::notes(3)).value();
        if (auto session = jobs.driver().connect(pgq::session_role::worker); succeeded(session)) {
            const auto me =
                session->register_worker({.host = "here", .pid = 1, .version = "0", .lease_time = 1h, .lanes = lanes});
            if (succeeded(me)) {
                const std::array<pgq::claim_lane, 1> from{{{.lane = lanes[0], .max_attempts = 20}}};
                pgq::sync_reply reply;
                (void)succeeded(session->sync({.worker = *me, .lanes = from, .limit = 100}, reply));
                (void)succeeded(session->retire(*me));
            }
        }
        return [](const crash_result& left, const crash_plan&) {
            for (std::int64_t n = 0; n < 3; ++n) {
                CHECK(left.ran(n) == 1);
                // The worker gives a job back, or it is one of several that are rescued: no attempt counts.
                CHECK(left.last_attempt.at(n) == 1);
            }
        };
    });
}

TEMPLATE_TEST_CASE("a requeue that crashes requeues all held jobs or none, each once", "[scenario][crash]", memory,
                   libpq) {
    crash_test<TestType> site;
    site.crash_everywhere([&site](auto& jobs, const crash_plan&) {
        (void)site.healthy().enqueue(test::notes(2)).value();
        (void)site.healthy().enqueue(note{.n = 2}, {.unique_key = "k", .keep_outcome = 1h}).value();
        test::run_until_empty(site.healthy(), site.options(),
                              [](const note&) -> pgq::outcome { return pgq::hold{"look"}; });
        std::vector<pgq::job_id> ids;
        for (const auto& h : site.healthy().template held<note>().value()) ids.push_back(h.id);
        CHECK(ids.size() == 3);
        const bool said = succeeded(jobs.requeue(ids));
        return [=](const crash_result& left, const crash_plan& plan) {
            const bool moved = said || (plan.was_lost_after() && plan.failed_verb() == "requeue");
            for (std::int64_t n = 0; n < 3; ++n) {
                CHECK(left.ran(n) == (moved ? 1 : 0));
                CHECK(left.is_held(n) == (moved ? 0 : 1));
            }
        };
    });
}

}  // namespace scenarios_crashes
