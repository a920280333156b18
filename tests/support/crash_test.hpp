#pragma once

#include <pgq/backoff/none.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/crashing.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/pooled.hpp>

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace test {

/// The store of the jobs while programs crash. A test can move its time and check the invariants of its rows.
template <class Driver>
class crash_home;

template <>
class crash_home<pgq::driver::memory> {
public:
    pgq::driver::memory driver() const { return store_; }
    pgq::driver::memory healthy_driver() const { return store_; }
    /// Whether the server has ended all sessions of the crashed program.
    bool is_quiet() const { return true; }
    /// Moves the time by a day: workers without a heartbeat are dead, and delayed jobs are due.
    void age() const { clock_.advance(std::chrono::hours{24}); }
    std::vector<std::string> broken_rules() const { return {}; }
    std::vector<std::string> remains() const { return {}; }

private:
    mutable pgq::manual_clock clock_{};
    pgq::driver::memory store_ = pgq::driver::memory::with_clock(clock_);
    // The clock also runs by itself, because workers wait on it.
    std::jthread ticks_{[this](const std::stop_token& stop) {
        auto last = std::chrono::steady_clock::now();
        while (!stop.stop_requested()) {
            ::poll(nullptr, 0, 1);
            const auto now = std::chrono::steady_clock::now();
            clock_.advance(now - std::exchange(last, now));
        }
    }};
};

template <>
class crash_home<pgq::driver::libpq> {
public:
    pgq::driver::libpq driver() const { return db_.driver(); }
    pgq::driver::libpq healthy_driver() const {
        auto o = db_.options();
        o.conninfo = database::settings_of(o.conninfo, "application_name", "healthy");
        return pgq::driver::libpq{o};
    }
    bool is_quiet() const { return db_.count_sessions(is_pooled() ? "state <> 'idle'" : "true") == 0; }
    void age() const {
        db_.exec("UPDATE {s}.worker SET heartbeat_at = heartbeat_at - interval '1 day'");
        db_.exec("UPDATE {s}.deferred SET run_at = now() WHERE run_at < 'infinity'");
    }
    std::vector<std::string> broken_rules() const {
        return failing({
            {"a job is in two places", "SELECT id FROM {s}.job GROUP BY id HAVING count(*) > 1"},
            {"a tracked row has no job", "SELECT FROM {s}.tracked WHERE id NOT IN (SELECT id FROM {s}.job)"},
            {"a tracked job that waits has no row",
             "SELECT FROM (SELECT id, flags FROM {s}.ready UNION ALL SELECT id, flags FROM {s}.deferred) j"
             " WHERE j.flags & 1 <> 0 AND id NOT IN (SELECT id FROM {s}.tracked)"},
            {"a tracked job that runs has no row",
             "SELECT FROM {s}.lease e, unnest(e.ids, e.flags) WITH ORDINALITY j(id, flags, o) WHERE j.flags & 1 <> 0"
             " AND (e.done IS NULL OR get_bit(e.done, j.o::int - 1) = 0) AND j.id NOT IN (SELECT id FROM {s}.tracked)"},
            {"an edge lacks its parent or its child",
             "SELECT FROM {s}.dependency WHERE parent NOT IN (SELECT id FROM {s}.tracked WHERE NOT held)"
             " OR child NOT IN (SELECT id FROM {s}.tracked)"},
            {"a job waits for more or fewer parents than it has",
             "SELECT FROM {s}.tracked t WHERE waits_for <> (SELECT count(*) FROM {s}.dependency d WHERE d.child = "
             "t.id)"},
            {"a job is blocked by nothing, or waits and is not blocked",
             "SELECT FROM {s}.job j JOIN {s}.tracked t USING (id) WHERE (j.state = 'blocked') <> (t.waits_for > 0)"},
            {"an untracked job is blocked",
             "SELECT FROM {s}.job WHERE state = 'blocked' AND id NOT IN (SELECT id FROM {s}.tracked)"},
            {"a key is taken by a job that has ended",
             "SELECT FROM {s}.unique_key WHERE until IS NULL AND job_id NOT IN (SELECT id FROM {s}.tracked WHERE NOT "
             "held)"},
            {"a held job is not known as held, or another is",
             "SELECT FROM {s}.job j JOIN {s}.tracked t USING (id) WHERE t.held <> (j.state = 'held')"},
            {"a job has ended and is still there",
             "SELECT FROM {s}.outcome o JOIN {s}.job j USING (id) WHERE o.kind <> 'h' OR j.state <> 'held'"},
            {"a lease has nothing left in it", "SELECT FROM {s}.lease WHERE bit_count(done) >= cardinality(ids)"},
        });
    }
    /// The kinds of rows that remain although all work is done.
    std::vector<std::string> remains() const {
        return failing({
            {"jobs", "SELECT FROM {s}.job"},
            {"leases", "SELECT FROM {s}.lease"},
            {"tracked rows", "SELECT FROM {s}.tracked"},
            {"edges", "SELECT FROM {s}.dependency"},
            {"keys", "SELECT FROM {s}.unique_key WHERE until IS NULL"},
            {"workers", "SELECT FROM {s}.worker"},
        });
    }
    const database& db() const noexcept { return db_; }

private:
    // One round trip for all rules.
    std::vector<std::string> failing(const std::vector<std::pair<const char*, const char*>>& rules) const {
        std::string all;
        for (const auto& [name, sql] : rules)
            all +=
                (all.empty() ? "SELECT '" : " UNION ALL SELECT '") + std::string{name} + "' WHERE EXISTS (" + sql + ")";
        const auto r = db_.sql().exec(all);
        std::vector<std::string> found;
        for (int i = 0; i < PQntuples(r.get()); ++i) found.emplace_back(PQgetvalue(r.get(), i, 0));
        return found;
    }

    database db_;
};

template <class Driver>
using crash_queue =
    pgq::queue<note, Driver, pgq::serializer::json, pgq::executor::thread_pool, pgq::backoff::none, event_counts>;

/// What the healthy programs found after a program had crashed.
struct crash_result {
    std::vector<std::int64_t> order{};   ///< of the jobs that they ran
    std::map<std::int64_t, int> runs{};  ///< the number of runs of each job
    std::map<std::int64_t, int> held{};  ///< the jobs that were held before they began
    std::map<std::int64_t, int> last_attempt{};

    int ran(std::int64_t n) const { return of(runs, n); }
    int is_held(std::int64_t n) const { return of(held, n); }
    /// How many jobs with number `n` existed.
    int left(std::int64_t n) const { return ran(n) + is_held(n); }

private:
    static int of(const std::map<std::int64_t, int>& all, std::int64_t n) {
        const auto found = all.find(n);
        return found == all.end() ? 0 : found->second;
    }
};

/// Runs a program repeatedly and makes it crash at each of its calls, in every way. Checks after each crash what is
/// left.
template <class Driver>
class crash_test {
public:
    using healthy_queue = crash_queue<Driver>;
    using program_queue = crash_queue<crashing<Driver>>;

    crash_test() { (void)healthy_.lanes().value(); }

    healthy_queue& healthy() noexcept { return healthy_; }
    const crash_home<Driver>& home() const noexcept { return home_; }

    /// `program(queue, plan)` works until it is done or until the plan makes it fail. It returns a function
    /// `judge(crash_result, plan)`, which checks the result. Ends after the first run without a crash.
    template <class Program>
    void crash_everywhere(Program program) {
        using moment = crash_plan::moment;
        using extent = crash_plan::extent;
        for (const auto what : {extent::connection, extent::process})
            for (const auto when : {moment::before, moment::after})
                for (int call = 1; crash_at({call, when, what}, program); ++call) REQUIRE(call < 300);
    }

    /// A healthy program runs the jobs that are left, a day later. Nothing may remain in the end.
    crash_result clear_up() {
        REQUIRE(eventually([&] { return home_.is_quiet(); }));
        check_rules();
        home_.age();
        auto monitor = home_.healthy_driver().connect(pgq::session_role::monitor).value();
        (void)monitor.rescue().value();
        check_rules();

        crash_result found;
        for (const auto& h : healthy_.template held<note>().value()) ++found.held[read(h.body)];
        run_log seen;
        run_until_empty(seen);
        for (const auto& s : seen.all()) {
            found.order.push_back(s.n);
            ++found.runs[s.n];
            found.last_attempt[s.n] = s.attempt;
        }
        check_rules();
        give_held_up();
        CHECK(home_.remains() == std::vector<std::string>{});
        CHECK(healthy_.template counts<note>().value() == pgq::lane_counts{});
        return found;
    }

    void run_until_empty(run_log& seen) {
        test::run_until_empty(healthy_, options(), [&](const note& n, const pgq::context& c) { seen.add(n.n, c); });
    }
    static pgq::worker_options options() {
        // The times are long, so that no heartbeat happens: the plan would count its calls.
        return {.lease_time = std::chrono::hours{1},
                .poll_interval = std::chrono::minutes{10},
                .grace = {},
                .until = pgq::run_until::empty};
    }

private:
    template <class Program>
    bool crash_at(const crash_plan& plan, Program& program) {
        auto judge = [&] {
            program_queue jobs{crashing<Driver>{home_.driver(), plan}, {}, pgq::executor::thread_pool{2}};
            return program(jobs, plan);
        }();
        INFO("crashed " << plan.describe());
        judge(clear_up(), plan);
        return !plan.failed_verb().empty();
    }
    static std::int64_t read(std::string_view body) {
        note n;
        pgq::serializer::json{}.read(body, n).value();
        return n.n;
    }
    void check_rules() const { CHECK(home_.broken_rules() == std::vector<std::string>{}); }
    void give_held_up() {
        std::vector<pgq::job_id> ids;
        for (const auto& h : healthy_.template held<note>().value()) ids.push_back(h.id);
        if (!ids.empty()) CHECK(healthy_.cancel(ids).value().removed == static_cast<std::int64_t>(ids.size()));
    }

    crash_home<Driver> home_;
    healthy_queue healthy_{home_.healthy_driver(), {}, pgq::executor::thread_pool{1}};
};

/// Returns true if the call succeeded, and false if the connection broke. Any other error fails the test.
template <class Result>
bool succeeded(const Result& r) {
    if (r) return true;
    CHECK(r.error() == pgq::errc::connection_lost);
    return false;
}

}  // namespace test
