#include <pgq/compose/composition.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/worker/run/worker_run.hpp>

#include "support/catch.hpp"
#include "unit/worker/core_fixture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_worker_run_run {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::error_info;
using pgq::worker_id;
using pgq::fsm::worker_do;
using strings = std::vector<std::string>;

namespace {

const error_info lost{errc::connection_lost, "gone"};

// What the database answers, in the order of the calls of each verb, and the calls. Without an answer all is well and
// finds nothing.
struct script {
    strings calls;
    std::deque<error_info> connect;
    std::deque<error_info> lanes;
    std::deque<error_info> limits;
    std::deque<pgq::result<pgq::sync_reply>> sync_replies;
    std::deque<pgq::result<std::vector<pgq::lease_update>>> leases_of;
    std::deque<pgq::result<std::vector<pgq::lease_update>>> lease_updates;
    std::deque<error_info> register_worker;
    std::deque<error_info> give_back;
    std::deque<std::int64_t> deferred;
    pgq::result<std::vector<pgq::database_problem>> problems = std::vector<pgq::database_problem>{};
    std::vector<pgq::held_by_rescue> held;  // by the next give_back or retire
    int next_id = 7;
    bool jobs_to_stop = false;
    int interrupted = 0;

    template <class T>
    static std::optional<T> take(std::deque<T>& from) {
        if (from.empty()) return std::nullopt;
        std::optional<T> first{std::move(from.front())};
        from.pop_front();
        return first;
    }
    strings take_calls() { return std::exchange(calls, {}); }
};

struct session {
    script* s;

    pgq::result<std::vector<pgq::database_problem>> problems() { return s->problems; }
    pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
        s->calls.push_back("lanes " + std::string{queue} + " " + std::to_string(names.size()));
        if (auto e = script::take(s->lanes)) return *e;
        return std::vector{pgq::lane_id{3}};
    }
    pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view, std::span<const pgq::lane_limit>) {
        s->calls.emplace_back("limits");
        if (auto e = script::take(s->limits)) return *e;
        return std::vector<pgq::lane_limit>{};
    }
    pgq::result<worker_id> register_worker(const pgq::worker_info& info) {
        s->calls.push_back("register " + std::to_string(info.lanes.size()));
        if (auto e = script::take(s->register_worker)) return *e;
        return worker_id{s->next_id++};
    }
    pgq::result<void> sync(const pgq::sync_request& r, pgq::sync_reply& reply) {
        s->calls.push_back("sync " + std::to_string(r.finished.size()) + "/" + std::to_string(r.limit));
        reply = {};
        auto answer = script::take(s->sync_replies);
        if (!answer) return {};
        if (!*answer) return answer->error();
        reply = std::move(**answer);
        return {};
    }
    pgq::result<std::vector<pgq::lease_update>> leases_of(worker_id id) {
        s->calls.push_back("leases_of " + std::to_string(id.value));
        return script::take(s->leases_of).value_or(std::vector<pgq::lease_update>{});
    }
    pgq::result<std::vector<pgq::lease_update>> lease_updates(worker_id id) {
        s->calls.push_back("lease_updates " + std::to_string(id.value));
        return script::take(s->lease_updates).value_or(std::vector<pgq::lease_update>{});
    }
    pgq::result<std::vector<pgq::paused_scope>> paused(std::string_view queue) {
        s->calls.push_back("paused " + std::string{queue});
        return std::vector<pgq::paused_scope>{};
    }
    pgq::result<std::vector<pgq::held_by_rescue>> give_back(std::span<const pgq::lease_ref> leases) {
        std::string call = "give_back";
        for (const auto& l : leases) call += " " + std::to_string(l.id);
        s->calls.push_back(call);
        if (auto e = script::take(s->give_back)) return *e;
        return std::exchange(s->held, {});
    }
    pgq::result<pgq::lane_counts> counts(pgq::lane_id) {
        s->calls.emplace_back("counts");
        return pgq::lane_counts{.deferred = script::take(s->deferred).value_or(0)};
    }
    pgq::result<std::vector<pgq::held_by_rescue>> retire(worker_id id) {
        s->calls.push_back("retire " + std::to_string(id.value));
        return std::exchange(s->held, {});
    }
    bool take_stop_request() noexcept { return std::exchange(s->jobs_to_stop, false); }
    void interrupt() noexcept { ++s->interrupted; }
};

struct driver {
    using session = unit_worker_run_run::session;
    script* s;

    pgq::result<session> connect(pgq::session_role) const {
        s->calls.emplace_back("connect");
        if (auto e = script::take(s->connect)) return *e;
        return session{s};
    }
};

struct composition {
    using jobs = pgq::detail::type_list<int>;
    template <class>
    static constexpr std::size_t index_of = 0;
    static constexpr std::array lanes{pgq::lane_entry{.name = {"note", ""}}};
};

struct queue {
    using driver_type = unit_worker_run_run::driver;
    using executor_type = test::manual_executor;
    using observer_type = test::recording_observer;
    using composition_type = composition;

    const unit_worker_run_run::driver& driver() const { return driver_; }
    executor_type& executor() { return executor_; }
    observer_type& observer() { return observer_; }
    const std::string& name() const { return name_; }
    pgq::result<std::span<const pgq::lane_name>> lane_names() const {
        static constexpr std::array names{pgq::lane_name{"note", ""}};
        if (name_.empty()) return errc::invalid_name;
        return std::span<const pgq::lane_name>{names};
    }
    pgq::detail::limiter_set limiters() const {
        pgq::detail::limiter_set limiters;
        limiters.add("note", pgq::limiter::none{});
        return limiters;
    }
    pgq::result<void> revise(const pgq::revision&) { return {}; }

    unit_worker_run_run::driver driver_;
    executor_type executor_{};
    observer_type observer_{};
    std::string name_ = "fake";
};

// A heartbeat without a thread: the test says what it reports.
struct scripted_heartbeat {
    template <class Driver, class Observer>
    scripted_heartbeat(const Driver&, Observer&, pgq::duration, std::function<void()> on_lost,
                       std::function<void()> on_stop_request, const pgq::call_limit&)
        : lost{std::move(on_lost)}, jobs_to_stop{std::move(on_stop_request)} {
        latest = this;
    }
    void report_to(pgq::detail::worker_monitor&, const pgq::detail::job_counters&,
                   std::atomic<pgq::steady_time>& at) noexcept {
        leases_end_at = &at;
    }
    pgq::minute_report last_report(pgq::worker_id) { return {}; }
    void start(worker_id id) { worker = id; }
    void follow(worker_id id, pgq::steady_time) noexcept { worker = id; }
    void stop() noexcept {}

    std::function<void()> lost;
    std::function<void()> jobs_to_stop;
    std::atomic<pgq::steady_time>* leases_end_at = nullptr;
    worker_id worker{};
    static inline scripted_heartbeat* latest = nullptr;
};

// A worker and its loop, one turn at a time; time is a value.
struct loop {
    using run_type = pgq::detail::worker_run<queue, scripted_heartbeat>;
    using runner_type = pgq::detail::job_runner<test::manual_executor, test::recording_observer>;

    explicit loop(pgq::worker_options o = {.max_prefetch = 4}) : options{o} {}

    // A turn: what the run wants is done at once. Returns what that was.
    pgq::fsm::worker_action turn() {
        const auto a = run.next(now);
        switch (a.what) {
        case worker_do::sync: {
            auto went = run.session()->sync(run.request(a, now), run.reply());
            if (went) run.synced(a, now);
            else run.failed(a, went.error(), now);
            break;
        }
        case worker_do::connect: {
            auto opened = run.driver().connect(pgq::session_role::worker);
            if (opened) run.connected(std::move(*opened));
            else run.broke(opened.error(), now);
            break;
        }
        case worker_do::stop: end(); break;
        case worker_do::wait:
        case worker_do::pause: break;
        default:
            while (run.apply(a, pgq::detail::execute(*run.session(), run.step(a)), now)) {}
        }
        return a;
    }
    // Turns until there is nothing to be done at once.
    pgq::fsm::worker_action rest() {
        for (int i = 0; i < 100; ++i) {
            const auto a = turn();
            if (a.what == worker_do::wait || a.what == worker_do::pause || a.what == worker_do::stop) return a;
        }
        FAIL("it does not come to rest");
        return {};
    }
    pgq::result<void> try_to_begin() {
        auto opened = run.driver().connect(pgq::session_role::worker);
        if (!opened) return opened.error();
        auto begun = run.begin(std::move(*opened));
        while (begun) {
            const auto step = run.step_to_begin();
            if (!step) break;
            begun = run.begin_with(pgq::detail::execute(*run.session(), *step));
        }
        return begun;
    }
    void begin() {
        REQUIRE(try_to_begin());
        (void)s.take_calls();
    }
    void end() {
        run.interrupt_handlers();
        run.end_threads();
        const auto step = run.step_to_end();
        run.ended(step ? pgq::detail::execute(*run.session(), *step) : pgq::detail::step_value{});
    }
    void claim(std::int64_t lease, int job_count) {
        pgq::sync_reply reply;
        reply.leases.push_back(test::core_fixture::lease(lease, job_count));
        s.sync_replies.emplace_back(std::move(reply));
        REQUIRE(turn().what == worker_do::sync);
    }
    const strings& events() const { return *jobs.observer_.events; }

    static void run_job(runner_type& r, pgq::detail::held_lease& slot, std::uint32_t position) noexcept {
        r.conclude(slot, position, "note", {}, pgq::done{}, [](const pgq::outcome&) {});
    }

    script s;
    pgq::worker_options options;
    queue jobs{{&s}};
    std::array<runner_type::job_functions, 1> functions{{{.run = &run_job}}};
    int pauses_ended = 0;
    pgq::detail::worker_monitor monitor;
    run_type run{jobs, functions.data(), this, options, false, monitor, [this] { ++pauses_ended; }};
    scripted_heartbeat* heartbeat = scripted_heartbeat::latest;
    pgq::steady_time now{std::chrono::hours{1}};
};

}  // namespace

TEST_CASE("a run finds its lanes and limits and registers before it works, and retires at its end", "[worker][run]") {
    loop l;
    REQUIRE(l.try_to_begin());
    CHECK(l.s.take_calls() == strings{"connect", "lanes fake 1", "limits", "register 1"});
    CHECK(l.heartbeat->worker == worker_id{7});
    CHECK(l.rest().what == worker_do::wait);
    CHECK(l.s.take_calls() == strings{"sync 0/4", "sync 0/4"});
    l.run.request_stop(l.now);
    CHECK(l.s.interrupted == 1);
    CHECK(l.rest().what == worker_do::stop);
    CHECK(l.s.take_calls() == strings{"retire 7"});
}

TEST_CASE("a run tells what it finds about the database, and does not begin where it could run no job",
          "[worker][run]") {
    loop l;
    const pgq::database_problem slow{"slow", "claims are slow", "vacuum"};
    const pgq::database_problem hidden{"hidden", "jobs are hidden", "show them", true};
    SECTION("nothing") {
        CHECK(l.try_to_begin());
        CHECK(l.events().empty());
    }
    SECTION("something with which it can work") {
        l.s.problems = std::vector{slow};
        CHECK(l.try_to_begin());
        CHECK(l.events() == strings{"problem slow: claims are slow; vacuum"});
    }
    SECTION("something with which it cannot") {
        l.s.problems = std::vector{slow, hidden};
        const auto begun = l.try_to_begin();
        REQUIRE(begun.error() == errc::unfit_database);
        CHECK(begun.error().text() == "jobs are hidden; show them");
        CHECK(l.events() ==
              strings{"problem slow: claims are slow; vacuum", "problem hidden: jobs are hidden; show them"});
        CHECK(l.s.take_calls() == strings{"connect"});
        CHECK_FALSE(l.run.begin_failed(begun.error(), l.now, l.now));
    }
    SECTION("not even that, because the search failed") {
        l.s.problems = error_info{pgq::make_sqlstate("42501"), "no right"};
        CHECK(l.try_to_begin());
        CHECK(l.events() == strings{"error: no right"});
    }
    SECTION("not even that, because the connection broke") {
        l.s.problems = lost;
        CHECK(l.try_to_begin().error() == errc::connection_lost);
        CHECK(l.events().empty());
    }
}

TEST_CASE("a run that cannot begin says why", "[worker][run]") {
    loop l;
    const std::string failing = GENERATE("connect", "lanes", "limits", "register");
    if (failing == "connect") l.s.connect.push_back(lost);
    else if (failing == "lanes") l.s.lanes.push_back(lost);
    else if (failing == "limits") l.s.limits.push_back(lost);
    else l.s.register_worker.push_back(lost);
    const auto begun = l.try_to_begin();
    REQUIRE_FALSE(begun);
    CHECK(begun.error().message == "gone");
    CHECK(l.heartbeat->worker == worker_id{});
}

TEST_CASE("a run that cannot begin tries again where it was, as long as that may help", "[worker][run]") {
    loop l{{.connect_timeout = 10s, .max_prefetch = 4}};
    const auto first = l.now;
    const auto failed = [&] { return l.run.begin_failed(l.try_to_begin().error(), first, l.now); };
    l.s.connect.push_back(lost);
    l.s.limits.push_back({pgq::make_sqlstate("25006"), "read-only"});
    l.s.register_worker.push_back({pgq::make_sqlstate("40001"), "contention"});
    CHECK(failed().has_value());
    CHECK(failed().has_value());
    CHECK(failed().has_value());
    (void)l.s.take_calls();
    SECTION("until it begins") {
        CHECK(l.try_to_begin());
        CHECK(l.s.take_calls() == strings{"connect", "register 1"});
    }
    SECTION("until its time is over") {
        l.now += 10s;
        l.s.connect.push_back(lost);
        CHECK_FALSE(failed());
    }
    SECTION("until an error that needs a person") {
        l.s.connect.push_back(error_info{errc::schema_missing, "no tables"});
        CHECK_FALSE(failed());
    }
    SECTION("until it is asked to stop") {
        l.run.request_stop(l.now);
        l.s.connect.push_back(lost);
        CHECK_FALSE(failed());
    }
}

TEST_CASE("the limit of calls is a second after the grace time once a run is asked to stop", "[worker][run]") {
    loop l{{.grace = 3s, .max_prefetch = 4}};
    CHECK(l.run.limit().at() == pgq::steady_time::max());
    l.run.request_stop(l.now);
    CHECK(l.run.limit().at() == l.now + 4s);
    l.run.request_stop(l.now + 1s);
    CHECK(l.run.limit().at() == l.now + 4s);
}

TEST_CASE("a run of a queue whose name is not valid does not begin", "[worker][run]") {
    loop l;
    l.jobs.name_.clear();
    const auto begun = l.try_to_begin();
    REQUIRE_FALSE(begun);
    CHECK(begun.error() == errc::invalid_name);
    CHECK(l.s.take_calls() == strings{"connect"});
}

TEST_CASE("a run acknowledges what it has run with its next claim", "[worker][run]") {
    loop l;
    l.begin();
    l.claim(1, 4);
    l.jobs.executor_.stop();  // all have run
    (void)l.turn();
    CHECK(l.s.take_calls() == strings{"sync 0/4", "sync 1/6"});
}

TEST_CASE("a run whose connection breaks connects, compares its leases and gives unknown ones back", "[worker][run]") {
    loop l;
    l.begin();
    l.claim(1, 2);
    (void)l.s.take_calls();
    l.s.connect.push_back(error_info{errc::connection_lost, "still gone"});
    l.s.leases_of.emplace_back(
        std::vector<pgq::lease_update>{{.ref = {.id = 1, .location = 4}}, {.ref = {.id = 2, .location = 5}}});
    l.s.lease_updates.emplace_back(std::vector<pgq::lease_update>{{.ref = {.id = 1, .location = 4}}});
    l.run.broke(lost, l.now);
    CHECK(l.run.session() == nullptr);
    CHECK(l.rest().what == worker_do::pause);
    l.now += 100ms;
    CHECK(l.rest().what == worker_do::pause);
    l.now += 200ms;
    (void)l.rest();
    const auto calls = l.s.take_calls();
    CHECK(calls == strings{"connect", "connect", "leases_of 7", "give_back 2", "lease_updates 7", "paused fake"});
    CHECK(l.events() == strings{"failed: gone", "failed: still gone", "restored"});
}

TEST_CASE("a step that fails is repeated with another session", "[worker][run]") {
    loop l;
    l.begin();
    l.run.broke(lost, l.now);
    const std::string failing = GENERATE("leases_of", "give_back", "lease_updates");
    if (failing == "leases_of") l.s.leases_of.emplace_back(lost);
    l.s.leases_of.emplace_back(std::vector<pgq::lease_update>{{.ref = {.id = 2, .location = 5}}});
    l.s.leases_of.emplace_back(std::vector<pgq::lease_update>{});
    if (failing == "give_back") l.s.give_back.push_back(lost);
    if (failing == "lease_updates") l.s.lease_updates.emplace_back(lost);
    for (int i = 0; i < 2; ++i) {
        l.now += 1s;
        (void)l.rest();
    }
    CHECK(l.run.session() != nullptr);
    CHECK(l.events().back() == "restored");
    const auto calls = l.s.take_calls();
    CHECK(std::count(calls.begin(), calls.end(), "connect") == 2);
    CHECK(std::count(calls.begin(), calls.end(), "lease_updates 7") == (failing == "lease_updates" ? 2 : 1));
}

TEST_CASE("a run whose heartbeat says that it is lost loses its leases and registers again", "[worker][run]") {
    loop l;
    l.begin();
    l.claim(1, 2);
    (void)l.s.take_calls();
    l.heartbeat->lost();
    CHECK(l.s.interrupted == 1);
    REQUIRE(l.turn().what == worker_do::register_worker);
    CHECK(l.events() == strings{"lost 1 with 0"});
    CHECK(l.s.take_calls() == strings{"register 1"});
    CHECK(l.heartbeat->worker == worker_id{8});
}

TEST_CASE("a run whose sync reports an unknown worker registers again, until it can", "[worker][run]") {
    loop l;
    l.begin();
    l.s.sync_replies.emplace_back(error_info{errc::worker_lost, "who?"});
    l.s.register_worker.push_back(lost);
    (void)l.rest();
    CHECK(l.run.session() == nullptr);
    l.now += 1s;
    (void)l.rest();
    CHECK(l.heartbeat->worker == worker_id{8});
    const auto calls = l.s.take_calls();
    REQUIRE(calls.size() > 5);
    CHECK(strings(calls.begin(), calls.begin() + 6) ==
          strings{"sync 0/4", "register 1", "connect", "register 1", "leases_of 8", "lease_updates 8"});
}

TEST_CASE("a run without a session ends the pause of its loop instead of a wait", "[worker][run]") {
    loop l;
    l.begin();
    l.run.broke(lost, l.now);
    l.run.wake();
    CHECK(l.pauses_ended == 1);
    CHECK(l.s.interrupted == 0);
}

TEST_CASE("a run reads its leases again when the session or the heartbeat says that jobs should stop",
          "[worker][run]") {
    loop l;
    l.begin();
    (void)l.rest();
    (void)l.s.take_calls();
    if (GENERATE(true, false)) l.s.jobs_to_stop = true;
    else l.heartbeat->jobs_to_stop();
    (void)l.turn();
    CHECK(l.s.take_calls() == strings{"lease_updates 7", "paused fake"});
}

TEST_CASE("a run that is to end when all is drained counts the deferred jobs, again after 50 ms", "[worker][run]") {
    loop l{{.max_prefetch = 4, .until = pgq::run_until::drained}};
    l.begin();
    l.s.deferred = {2, 0};
    CHECK(l.rest().what == worker_do::wait);
    const auto calls = l.s.take_calls();
    CHECK(std::count(calls.begin(), calls.end(), "counts") == 1);
    l.now += 50ms;
    CHECK(l.rest().what == worker_do::stop);
}

TEST_CASE("an observer learns which malformed jobs a worker holds when it gives jobs back", "[worker][run]") {
    loop l;
    l.begin();
    const std::vector<pgq::held_by_rescue> malformed{{{9}, "its payload is missing"}};
    SECTION("that it does not know after its connection broke") {
        (void)l.rest();
        l.s.leases_of.push_back(std::vector{pgq::lease_update{.ref = {2, 1}}});
        l.s.held = malformed;
        l.run.broke(lost, l.now);
        l.now += 10s;
        (void)l.rest();
        CHECK(l.events() == strings{"failed: gone", "held 9: its payload is missing", "restored"});
    }
    SECTION("when it retires") {
        l.s.held = malformed;
        l.run.request_stop(l.now);
        CHECK(l.rest().what == worker_do::stop);
        CHECK(l.events() == strings{"held 9: its payload is missing"});
    }
}

TEST_CASE("a run that cannot give abandoned jobs back stops all the same", "[worker][run]") {
    loop l{{.grace = 1s, .max_prefetch = 4}};
    l.begin();
    l.claim(1, 1);
    // A handler that has begun and does not end.
    static_cast<pgq::detail::held_lease*>(l.jobs.executor_.tasks->front().lease)->take(0);
    l.jobs.executor_.tasks->clear();
    l.s.give_back.push_back(error_info{errc::protocol, "no"});
    l.run.request_stop(l.now);
    (void)l.rest();
    l.now += 1s;
    (void)l.rest();
    l.now += 1s;
    (void)l.s.take_calls();
    CHECK(l.rest().what == worker_do::stop);
    CHECK(l.s.take_calls() == strings{"give_back 1", "retire 7"});
    CHECK(l.events().empty());
}

}  // namespace unit_worker_run_run
