#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/scheduler.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/time/manual_clock.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"
#include "support/running_on_thread.hpp"
#include "support/table_zone.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_schedule_scheduler {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::time_point;
using test::eventually;
using test::letter;
using test::note;

namespace {

// Shared by copies.
class recorder {
public:
    using policy_category = pgq::observer_tag;
    struct fired {
        std::string schedule;
        time_point tick;
        friend bool operator==(const fired&, const fired&) = default;
    };

    void on(const pgq::event::schedule_fired& e) { add(state_->fired, {std::string{e.schedule}, e.scheduled_at}); }
    void on(const pgq::event::schedule_skipped& e) { add(state_->skipped, {std::string{e.schedule}, e.scheduled_at}); }
    void on(const pgq::event::schedule_missed& e) {
        add(state_->missed, {std::string{e.schedule}, e.from});
        add(state_->missed, {std::string{e.schedule}, e.to});
    }
    void on(const pgq::event::error& e) { add(state_->errors, {e.error.message, {}}); }

    std::vector<fired> all() const { return read(state_->fired); }
    std::vector<fired> skipped() const { return read(state_->skipped); }
    std::vector<fired> missed() const { return read(state_->missed); }
    std::vector<fired> errors() const { return read(state_->errors); }

private:
    struct state {
        std::mutex mutex;
        std::vector<recorder::fired> fired, skipped, missed, errors;
    };
    void add(std::vector<fired>& to, fired f) {
        const std::lock_guard lock{state_->mutex};
        to.push_back(std::move(f));
    }
    std::vector<fired> read(const std::vector<fired>& from) const {
        const std::lock_guard lock{state_->mutex};
        return from;
    }
    std::shared_ptr<state> state_ = std::make_shared<state>();
};

using queue = pgq::queue<pgq::job<note>, pgq::job<letter>, pgq::driver::memory, pgq::serializer::json,
                         pgq::executor::in_place, recorder>;

constexpr time_point midnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 29};

/// A queue whose database follows a clock that the test moves.
struct fixture {
    explicit fixture(time_point start = midnight) : clock{start} {}

    pgq::manual_clock clock;
    pgq::driver::memory driver = pgq::driver::memory::with_clock(clock);
    recorder seen{};
    queue jobs{driver, {}, pgq::executor::in_place{}, seen};
};

}  // namespace

TEST_CASE("a scheduler fires each tick, and the handler reads it from its context", "[schedule]") {
    fixture f;
    pgq::scheduler s{f.jobs};
    REQUIRE(s.every<"*/5 * * * *">(note{.n = 7}).has_value());
    test::running_on_thread runs{s};
    const std::vector<recorder::fired> expected{
        {"note", midnight}, {"note", midnight + 5min}, {"note", midnight + 10min}};
    for (std::size_t n = 1; n <= expected.size(); ++n) {
        REQUIRE(eventually([&] { return f.seen.all().size() == n; }));
        if (n < expected.size()) f.clock.advance(5min);
    }
    CHECK(f.seen.all() == expected);
    CHECK(runs.stop().has_value());

    std::vector<std::optional<time_point>> ticks;
    pgq::worker w{f.jobs,
                  {.until = pgq::run_until::empty},
                  [&](const note& r, const pgq::context& c) {
                      CHECK(r.n == 7);
                      CHECK(c.header_value("pgq-schedule") == "note");
                      ticks.push_back(c.scheduled_at());
                  },
                  [&](const letter&, const pgq::context& c) { ticks.push_back(c.scheduled_at()); }};
    REQUIRE(f.jobs.enqueue(letter{}).has_value());
    REQUIRE(w.run().has_value());
    CHECK(ticks == std::vector<std::optional<time_point>>{midnight, midnight + 5min, midnight + 10min, std::nullopt});
}

TEST_CASE("of a night without a scheduler each policy fires what it says", "[schedule][missed]") {
    const auto fired = [](pgq::missed policy) {
        fixture f;
        {
            pgq::scheduler s{f.jobs};
            REQUIRE(s.every("0 * * * *", note{}, {.missed = policy}).has_value());
            REQUIRE(s.declare().has_value());
        }
        f.clock.advance(8h + 30min);
        pgq::scheduler s{f.jobs};
        test::running_on_thread runs{s};
        REQUIRE(eventually([&] { return s.list().value().at(0).next_at == midnight + 9h; }));
        REQUIRE(eventually([&] { return !f.seen.missed().empty(); }));
        CHECK(f.seen.missed().front() == recorder::fired{"note", midnight});
        std::vector<int> hours;
        for (const auto& e : f.seen.all()) hours.push_back(static_cast<int>((e.tick - midnight) / 1h));
        return hours;
    };
    CHECK(fired({}) == std::vector{8});
    CHECK(fired(pgq::missed::newest()) == std::vector{8});
    CHECK(fired(pgq::missed::skip()).empty());
    CHECK(fired(pgq::missed::all(3)) == std::vector{6, 7, 8});
    CHECK(fired(pgq::missed::all(1000, 4h)) == std::vector{5, 6, 7, 8});
}

TEST_CASE("on nights when the clocks change a nightly job is fired once", "[schedule][dst]") {
    using std::chrono::sys_days;
    using std::chrono::year;
    const support::table_zone berlin{
        1h, {{sys_days{year{2026} / 3 / 29} + 1h, 2h}, {sys_days{year{2026} / 10 / 25} + 1h, 1h}}};
    const pgq::scheduler_options options{.zones = [&](std::string_view name) -> pgq::result<pgq::cron::any_zone> {
        if (name != "Europe/Berlin") return errc::invalid_option;
        return pgq::cron::any_zone{berlin};
    }};
    const auto fired = [&](time_point evening) {
        fixture f{evening};
        pgq::scheduler s{f.jobs, options};
        REQUIRE(s.every<"30 2 * * *">(note{}, {.zone = "Europe/Berlin"}).has_value());
        test::running_on_thread runs{s};
        REQUIRE(eventually([&] { return s.list().value().size() == 1; }));
        for (int quarter = 0; quarter < 24; ++quarter) {
            f.clock.advance(15min);
            REQUIRE(eventually([&] { return s.list().value().at(0).next_at > f.clock.now(); }));
        }
        (void)runs.stop();
        std::vector<time_point> ticks;
        for (const auto& e : f.seen.all()) ticks.push_back(e.tick);
        return ticks;
    };
    const time_point spring = sys_days{year{2026} / 3 / 28} + 22h, autumn = sys_days{year{2026} / 10 / 24} + 22h;
    CHECK(fired(spring) == std::vector{spring + 3h});
    CHECK(fired(autumn) == std::vector{autumn + 2h + 30min});
}

TEST_CASE("a scheduler that runs sees what others declare, pause, resume and remove", "[schedule]") {
    fixture f{midnight + 30s};
    pgq::scheduler runner{f.jobs};
    test::running_on_thread runs{runner};
    pgq::scheduler other{f.jobs};
    REQUIRE(other.every(1min, note{}).has_value());
    REQUIRE(other.every("@hourly", letter{}, {.name = "hourly letter"}).has_value());
    REQUIRE(other.declare().has_value());
    const auto advance = [&](std::size_t fired) {
        f.clock.advance(1min);
        return eventually([&] { return f.seen.all().size() == fired; });
    };
    REQUIRE(advance(1));
    CHECK(other.pause("note", "too much").value());
    CHECK_FALSE(other.pause("note").value());
    f.clock.advance(10min);
    REQUIRE(other.fire_now("note").value());
    const auto listed = other.list().value();
    REQUIRE(listed.size() == 2);
    CHECK(listed[0].name == "hourly letter");
    CHECK(listed[0].entrypoint == "letter");
    CHECK(listed[0].next_at == midnight + 1h);
    CHECK(listed[1].pause_reason == "too much");
    CHECK(f.seen.all().size() == 1);
    CHECK(other.resume("note").value());
    REQUIRE(advance(2));
    CHECK(f.seen.all().back() == recorder::fired{"note", midnight + 12min});
    CHECK(other.remove("note").value());
    CHECK_FALSE(other.remove("note").value());
    CHECK(other.fire_now("note").error() == errc::invalid_option);
    CHECK(other.pause("hourly letter", "a\xff").error() == errc::invalid_text);
    CHECK(other.list().value().size() == 1);
}

TEST_CASE("overlap: a tick enqueues nothing while the former job has not ended, or cancels it", "[schedule]") {
    fixture f;
    pgq::scheduler s{f.jobs};
    REQUIRE(s.every(1min, note{}, {.overlap = pgq::overlap::skip}).has_value());
    REQUIRE(s.every(1min, letter{}, {.overlap = pgq::overlap::cancel_running}).has_value());
    test::running_on_thread runs{s};
    for (int i = 1; i <= 3; ++i) {
        REQUIRE(eventually([&] {
            const auto all = s.list().value();
            return all.size() == 2 && all[0].next_at == midnight + i * 1min && all[1].next_at == midnight + i * 1min;
        }));
        if (i < 3) f.clock.advance(1min);
    }
    REQUIRE(eventually([&] { return f.seen.skipped().size() == 2; }));
    CHECK(f.seen.all().size() == 4);
    CHECK(f.jobs.counts<note>().value().ready == 1);
    CHECK(f.jobs.counts<letter>().value().ready == 1);
}

TEST_CASE("schedules that no program declares any more are pruned only if a program asks for it", "[schedule]") {
    fixture f;
    pgq::scheduler old{f.jobs};
    REQUIRE(old.every("@daily", note{}, {.name = "of an old program"}).has_value());
    REQUIRE(old.declare().has_value());
    f.clock.advance(24h * 31);

    pgq::scheduler plain{f.jobs};
    REQUIRE(plain.every("@daily", note{}).has_value());
    REQUIRE(plain.declare().has_value());
    CHECK(plain.list().value().size() == 2);

    pgq::scheduler tidy{f.jobs, {.prune_after = 24h * 30}};
    test::running_on_thread runs{tidy};
    CHECK(eventually([&] { return tidy.list().value().size() == 1; }));
    CHECK(tidy.list().value()[0].name == "note");
    CHECK(runs.stop().has_value());
    f.clock.advance(3h);
    CHECK(plain.prune(2h).value() == 1);
}

TEST_CASE("a schedule that this program cannot read is reported, and the others are fired", "[schedule]") {
    fixture f;
    const pgq::scheduler_options zones{
        .zones = [](std::string_view) { return pgq::result<pgq::cron::any_zone>{pgq::cron::any_zone{}}; }};
    pgq::scheduler other{f.jobs, zones};
    REQUIRE(other.every("@hourly", note{}, {.zone = "Mars/Base"}).has_value());
    REQUIRE(other.declare().has_value());
    pgq::scheduler s{f.jobs};
    REQUIRE(s.every("@hourly", letter{}).has_value());
    test::running_on_thread runs{s};
    REQUIRE(eventually([&] { return f.seen.all().size() == 1; }));
    REQUIRE(f.seen.errors().size() == 1);
    CHECK(f.seen.errors()[0].schedule.find("Mars/Base") != std::string::npos);
    CHECK(f.seen.all()[0].schedule == "letter");
}

TEST_CASE("what cannot be scheduled is an error of the call", "[schedule]") {
    fixture f;
    pgq::scheduler s{f.jobs};
    CHECK(s.every("61 * * * *", note{}).error() == errc::invalid_cron);
    CHECK(s.every(1500ms, note{}).error() == errc::invalid_option);
    CHECK(s.every(0s, note{}).error() == errc::invalid_cron);
    const auto error_of = [&](const pgq::schedule_options& o) -> pgq::error_info {
        const auto done = s.every<"@daily">(note{}, o);
        return done ? pgq::error_info{} : done.error();
    };
    CHECK(error_of({.name = std::string(256, 'n')}) == errc::invalid_name);
    CHECK(error_of({.name = std::string(1, '\0')}) == errc::invalid_name);
    CHECK(error_of({.zone = "Europe/Berlin"}) == errc::invalid_option);
    CHECK(error_of({.jitter = -1s}) == errc::invalid_option);
    CHECK(error_of({.missed = pgq::missed::all(0)}) == errc::invalid_option);
    CHECK(error_of({.missed = pgq::missed::all(1001)}) == errc::invalid_option);
    CHECK(error_of({.missed = pgq::missed::all(1, -1s)}) == errc::invalid_option);
    CHECK(error_of({.starts_at = midnight, .ends_at = midnight - 1s}) == errc::invalid_option);
    CHECK(error_of({.job = {.run_at = pgq::at(midnight)}}) == errc::invalid_option);
    CHECK(error_of({.job = {.expires_at = pgq::at(midnight)}}) == errc::invalid_option);
    CHECK(error_of({.job = {.at_most = 5}}) == errc::invalid_option);
    CHECK(error_of({.overlap = pgq::overlap::skip, .job = {.unique_key = "mine"}}) == errc::invalid_option);
    CHECK(error_of({.job = {.headers = {{"a", "1"}, {"a", "2"}}}}) == errc::invalid_option);
    CHECK(error_of({.job = {.priority = 40000}}) == errc::invalid_option);
    REQUIRE(s.every<"@daily">(note{}).has_value());
    CHECK(error_of({}) == errc::invalid_option);
    CHECK(s.every<"@daily">(note{}, {.name = "another"}).has_value());

    pgq::scheduler hasty{f.jobs, {.prune_after = 1h}};
    CHECK(hasty.run().error() == errc::invalid_option);
    pgq::scheduler lazy{f.jobs, {.poll_interval = 0s}};
    CHECK(lazy.run().error() == errc::invalid_option);
}

}  // namespace unit_schedule_scheduler
