#include <pgq/fsm/scheduler.hpp>

#include "support/catch.hpp"
#include "support/table_zone.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace unit_fsm_scheduler {

using namespace std::chrono_literals;
using pgq::duration;
using pgq::fire_answer;
using pgq::fire_outcome;
using pgq::fire_reply;
using pgq::schedule_list;
using pgq::steady_time;
using pgq::stored_schedule;
using pgq::time_point;
using pgq::fsm::scheduler;
using pgq::fsm::scheduler_do;

namespace {

constexpr time_point midnight = std::chrono::sys_days{std::chrono::year{2026} / 11 / 29};
constexpr steady_time boot{1000h};

stored_schedule rule(std::string name, std::string expression, time_point next_at) {
    stored_schedule s{.name = std::move(name), .expression = std::move(expression), .zone = "UTC"};
    s.next_at = next_at;
    return s;
}

/// The database of a test: it compares and sets, as sql/0006_schedules.sql does.
struct database {
    std::map<std::string, stored_schedule> rules{};
    std::map<std::string, std::vector<time_point>> fired{};

    void add(stored_schedule s) { rules[s.name] = std::move(s); }
    schedule_list list(time_point now) const {
        schedule_list all{.now = now, .notifies = true};
        for (const auto& [name, r] : rules) all.all.push_back(r);
        return all;
    }
    fire_reply fire(const scheduler& s, time_point now) {
        fire_reply reply{.now = now};
        for (const auto& f : s.firings()) {
            auto& a = reply.all.emplace_back();
            const auto found = rules.find(std::string{f.name});
            if (found == rules.end()) continue;
            auto& r = found->second;
            if (r.next_at != f.expected) a = {.outcome = fire_outcome::not_expected, .next_at = r.next_at};
            else if (r.paused_at) a.outcome = fire_outcome::paused;
            else if (!f.ticks.empty() && f.ticks.back() > now) a.outcome = fire_outcome::early;
            else {
                r.next_at = f.next;
                a = {.outcome = fire_outcome::fired, .next_at = f.next};
                for (const auto t : f.ticks) fired[r.name].push_back(t), a.ticks.push_back({.job = pgq::job_id{1}});
            }
        }
        return reply;
    }
};

/// A scheduler, its database, and a clock that moves only by waits. The database's time is `midnight + offset` at boot.
struct night {
    database db{};
    scheduler machine{nullptr};
    duration offset{};
    steady_time now = boot;

    time_point time() const {
        return midnight + std::chrono::duration_cast<std::chrono::microseconds>(now - boot + offset);
    }
    /// Does what the machine says until then.
    void run(steady_time until) {
        while (now < until) {
            const auto a = machine.next(now);
            if (a.what == scheduler_do::load) (void)machine.loaded(db.list(time()), now);
            else if (a.what == scheduler_do::fire) machine.fired(db.fire(machine, time()), now);
            else now += std::min<duration>(a.timeout, until - now);
        }
    }
};

std::vector<time_point> each(time_point from, duration step, std::size_t n) {
    std::vector<time_point> all;
    for (std::size_t i = 0; i < n; ++i)
        all.push_back(from + std::chrono::duration_cast<std::chrono::microseconds>(step * static_cast<int>(i)));
    return all;
}

}  // namespace

TEST_CASE("a scheduler loads, waits for the first tick, fires it and waits for the next one", "[fsm][scheduler]") {
    database db;
    db.add(rule("report", "*/5 * * * *", midnight + 1s));
    scheduler s{nullptr};
    CHECK(s.next(boot).what == scheduler_do::load);
    CHECK(s.loaded(db.list(midnight + 10s), boot).empty());

    auto a = s.next(boot);
    CHECK(a.what == scheduler_do::wait);
    CHECK(a.timeout == 290s);
    const steady_time tick = boot + a.timeout;
    a = s.next(tick - 1ms);
    CHECK((a.what == scheduler_do::wait && a.timeout == 1ms));
    CHECK(s.next(tick).what == scheduler_do::fire);
    REQUIRE(s.firings().size() == 1);
    CHECK(s.firings()[0].name == "report");
    CHECK(s.firings()[0].expected == midnight + 1s);
    CHECK(s.firings()[0].ticks == std::vector{midnight + 5min});
    CHECK(s.firings()[0].next == midnight + 10min);
    CHECK_FALSE(s.missed(0));

    s.fired(db.fire(s, midnight + 5min), tick);
    a = s.next(tick);
    CHECK((a.what == scheduler_do::wait && a.timeout == 5min));
}

TEST_CASE("a tick at the very moment at which a schedule begins is fired", "[fsm][scheduler]") {
    night n;
    n.db.add(rule("a", "* * * * *", midnight));
    n.run(boot + 1s);
    CHECK(n.db.fired["a"] == std::vector{midnight});
}

TEST_CASE("the clock of the database decides, whatever the steady clock of the program shows", "[fsm][scheduler]") {
    night n;
    n.db.add(rule("a", "* * * * *", midnight + 12h));
    n.offset = 12h - 30s;
    n.run(boot + 29s);
    CHECK(n.db.fired["a"].empty());
    n.run(boot + 31s);
    CHECK(n.db.fired["a"] == std::vector{midnight + 12h});
}

TEST_CASE("if the clock of the database was set back, a scheduler waits for the tick anew", "[fsm][scheduler]") {
    night n;
    n.db.add(rule("a", "* * * * *", midnight + 1s));
    n.run(boot + 50s);
    n.offset = -20s;
    n.run(boot + 75s);
    CHECK(n.db.fired["a"].empty());
    n.run(boot + 81s);
    CHECK(n.db.fired["a"] == std::vector{midnight + 1min});
}

TEST_CASE("of a night of missed ticks the newest is fired by default", "[fsm][scheduler][missed]") {
    night n;
    n.db.add(rule("a", "*/15 * * * *", midnight));
    n.offset = 8h + 7min;
    n.run(boot + 1s);
    CHECK(n.db.fired["a"] == std::vector{midnight + 8h});
    n.run(boot + 10min);
    CHECK(n.db.fired["a"] == std::vector{midnight + 8h, midnight + 8h + 15min});
}

TEST_CASE("a firing says which ticks before it were missed", "[fsm][scheduler][missed]") {
    database db;
    db.add(rule("a", "*/15 * * * *", midnight + 1s));
    scheduler s{nullptr};
    (void)s.loaded(db.list(midnight + 8h), boot);
    REQUIRE(s.next(boot).what == scheduler_do::fire);
    REQUIRE(s.missed(0));
    CHECK(s.missed(0)->from == midnight + 15min);
    CHECK(s.missed(0)->to == midnight + 7h + 45min);
}

TEST_CASE("with a largest age no older tick is fired, and the schedule goes on", "[fsm][scheduler][missed]") {
    night n;
    auto r = rule("a", "*/15 * * * *", midnight);
    r.missed_age = 1min;
    n.db.add(r);
    n.offset = 8h + 7min;
    n.run(boot + 1s);
    CHECK(n.db.fired["a"].empty());
    CHECK(n.db.rules["a"].next_at == midnight + 8h + 15min);
    n.run(boot + 10min);
    CHECK(n.db.fired["a"] == std::vector{midnight + 8h + 15min});
}

TEST_CASE("all missed ticks are fired in order, up to a number and an age", "[fsm][scheduler][missed]") {
    const auto fired = [](std::int32_t count, std::optional<duration> age) {
        night n;
        auto r = rule("a", "*/15 * * * *", midnight);
        r.missed_count = count;
        r.missed_age = age;
        n.db.add(r);
        n.offset = 8h + 7min;
        n.run(boot + 1s);
        return n.db.fired["a"];
    };
    CHECK(fired(1000, std::nullopt) == each(midnight, 15min, 33));
    CHECK(fired(4, std::nullopt) == each(midnight + 7h + 15min, 15min, 4));
    CHECK(fired(1000, 1h) == each(midnight + 7h + 15min, 15min, 4));
    CHECK(fired(2, 1h) == each(midnight + 7h + 45min, 15min, 2));
}

TEST_CASE("a schedule fires none of the ticks behind its end", "[fsm][scheduler]") {
    night n;
    auto r = rule("a", "* * * * *", midnight + 1s);
    r.ends_at = midnight + 3min;
    n.db.add(r);
    n.run(boot + 1h);
    CHECK(n.db.fired["a"] == each(midnight + 1min, 1min, 3));
    CHECK_FALSE(n.db.rules["a"].next_at);
}

TEST_CASE("the last ticks of a schedule are fired even if they were missed", "[fsm][scheduler][missed]") {
    night n;
    auto r = rule("a", "* * * * *", midnight + 1s);
    r.ends_at = midnight + 3min + 30s;
    r.missed_count = 2;
    n.db.add(r);
    n.offset = 1h;
    n.run(boot + 1s);
    CHECK(n.db.fired["a"] == each(midnight + 2min, 1min, 2));
    CHECK_FALSE(n.db.rules["a"].next_at);
}

TEST_CASE("jitter makes a schedule late, always by the same part of it", "[fsm][scheduler]") {
    const auto late = scheduler::delay_of("report", 1min);
    CHECK(late > 0s);
    CHECK(late < 1min);
    CHECK(late != scheduler::delay_of("mail", 1min));
    CHECK(scheduler::delay_of("report", 0s) == 0s);
    night n;
    auto r = rule("report", "*/5 * * * *", midnight + 1s);
    r.jitter = 1min;
    n.db.add(r);
    n.run(boot + 5min + late - 1ms);
    CHECK(n.db.fired["report"].empty());
    n.run(boot + 5min + late + 1ms);
    CHECK(n.db.fired["report"] == std::vector{midnight + 5min});
    n.run(boot + 10min + late + 1ms);
    CHECK(n.db.fired["report"] == each(midnight + 5min, 5min, 2));
}

TEST_CASE("schedules with ticks at one time are fired by one call", "[fsm][scheduler]") {
    database db;
    for (int i = 0; i < 100; ++i) db.add(rule("r" + std::to_string(i), "0 * * * *", midnight + 1s));
    scheduler s{nullptr};
    (void)s.loaded(db.list(midnight + 59min), boot);
    CHECK(s.next(boot + 1min).what == scheduler_do::fire);
    CHECK(s.firings().size() == 100);
}

TEST_CASE("a scheduler that comes second takes the next tick from the reply", "[fsm][scheduler]") {
    database db;
    db.add(rule("a", "* * * * *", midnight + 1s));
    scheduler s{nullptr};
    (void)s.loaded(db.list(midnight + 30s), boot);
    REQUIRE(s.next(boot + 30s).what == scheduler_do::fire);
    db.rules["a"].next_at = midnight + 2min;
    s.fired(db.fire(s, midnight + 1min), boot + 30s);
    const auto a = s.next(boot + 30s);
    CHECK((a.what == scheduler_do::wait && a.timeout == 60s));
    CHECK(db.fired["a"].empty());
}

TEST_CASE("if another scheduler fires a tick just now, the machine tries again after 20 ms", "[fsm][scheduler]") {
    database db;
    db.add(rule("a", "* * * * *", midnight + 1s));
    scheduler s{nullptr};
    (void)s.loaded(db.list(midnight + 30s), boot);
    const steady_time tick = boot + 30s;
    REQUIRE(s.next(tick).what == scheduler_do::fire);
    s.fired({.now = midnight + 1min, .all = {{.outcome = fire_outcome::busy}}}, tick);
    const auto a = s.next(tick);
    CHECK((a.what == scheduler_do::wait && a.timeout == 20ms));
    CHECK(s.next(tick + 20ms).what == scheduler_do::fire);
}

TEST_CASE("a scheduler loads again when a schedule was changed, paused or removed, and after a failure",
          "[fsm][scheduler]") {
    database db;
    db.add(rule("a", "* * * * *", midnight + 1s));
    scheduler s{nullptr};
    (void)s.loaded(db.list(midnight + 30s), boot);
    s.changed();
    CHECK(s.next(boot).what == scheduler_do::load);
    for (const auto outcome : {fire_outcome::paused, fire_outcome::gone}) {
        (void)s.loaded(db.list(midnight + 30s), boot);
        REQUIRE(s.next(boot + 30s).what == scheduler_do::fire);
        s.fired({.now = midnight + 1min, .all = {{.outcome = outcome}}}, boot + 30s);
        CHECK(s.next(boot + 30s).what == scheduler_do::load);
    }
    (void)s.loaded(db.list(midnight + 30s), boot);
    REQUIRE(s.next(boot + 30s).what == scheduler_do::fire);
    s.failed();
    CHECK(s.next(boot + 30s).what == scheduler_do::load);
    s.stop();
    CHECK(s.next(boot + 30s).what == scheduler_do::stop);
}

TEST_CASE("a paused schedule is not fired", "[fsm][scheduler]") {
    night n;
    auto r = rule("a", "* * * * *", midnight);
    r.paused_at = midnight;
    n.db.add(r);
    n.run(boot + 1h);
    CHECK(n.db.fired["a"].empty());
    CHECK(n.db.rules["a"].next_at == midnight);
}

TEST_CASE("without notifications a scheduler loads once per poll interval", "[fsm][scheduler]") {
    scheduler s{nullptr, 2s};
    (void)s.loaded({.now = midnight, .notifies = false}, boot);
    const auto a = s.next(boot);
    CHECK((a.what == scheduler_do::wait && a.timeout == 2s));
    CHECK(s.next(boot + 2s).what == scheduler_do::load);
    (void)s.loaded({.now = midnight, .notifies = true}, boot);
    CHECK(s.next(boot).timeout == 10min);
}

TEST_CASE("a schedule that this program cannot read is reported once and left to others", "[fsm][scheduler]") {
    night n;
    n.db.add(rule("a", "* * * * *", midnight + 1s));
    n.db.add(rule("b", "no cron", midnight + 1s));
    auto c = rule("c", "* * * * *", midnight + 1s);
    c.zone = "Europe/Berlin";
    n.db.add(c);
    const auto unreadable = n.machine.loaded(n.db.list(midnight), boot);
    REQUIRE(unreadable.size() == 2);
    CHECK(unreadable[0] == pgq::errc::invalid_cron);
    CHECK(unreadable[0].message.find("\"b\"") != std::string::npos);
    CHECK(unreadable[1] == pgq::errc::invalid_option);
    CHECK(n.machine.loaded(n.db.list(midnight), boot).empty());
    n.run(boot + 3min + 1s);
    CHECK(n.db.fired["a"].size() == 3);
    CHECK(n.db.fired["b"].empty());
    CHECK(n.db.fired["c"].empty());
}

TEST_CASE("on a night without 02:30 a fixed time fires at 03:00, on a night with two of them once",
          "[fsm][scheduler][dst]") {
    using std::chrono::sys_days;
    using std::chrono::year;
    const support::table_zone berlin{
        1h, {{sys_days{year{2026} / 3 / 29} + 1h, 2h}, {sys_days{year{2026} / 10 / 25} + 1h, 1h}}};
    const auto fired = [&](std::string expression, time_point from) {
        night n;
        n.machine = scheduler{[&](std::string_view) { return pgq::cron::any_zone{berlin}; }};
        auto r = rule("a", std::move(expression), from);
        r.zone = "Europe/Berlin";
        n.db.add(r);
        n.offset = from - midnight;
        n.run(boot + 6h);
        return n.db.fired["a"];
    };
    const time_point spring = sys_days{year{2026} / 3 / 28} + 22h, autumn = sys_days{year{2026} / 10 / 24} + 22h;
    CHECK(fired("30 2 * * *", spring) == std::vector{spring + 3h});
    CHECK(fired("30 2 * * *", autumn) == std::vector{autumn + 2h + 30min});
    CHECK(fired("*/30 * * * *", autumn) == each(autumn, 30min, 12));
    CHECK(fired("@every 1h", spring) == each(spring, 1h, 6));
}

TEST_CASE("many schedulers that lose replies and come late fire each tick once, in order", "[fsm][scheduler]") {
    std::mt19937 random{7};
    const auto chance = [&](int percent) { return static_cast<int>(random() % 100) < percent; };
    for (int round = 0; round < 50; ++round) {
        database db;
        auto r = rule("a", "* * * * * *", midnight);
        r.missed_count = 1000;
        db.add(r);
        std::vector<scheduler> all(3, scheduler{nullptr});
        steady_time now = boot;
        const auto time = [&] { return midnight + std::chrono::duration_cast<std::chrono::microseconds>(now - boot); };
        for (int step = 0; step < 3000; ++step) {
            auto& s = all[random() % all.size()];
            const auto a = s.next(now);
            if (a.what == scheduler_do::load) {
                if (chance(80)) (void)s.loaded(db.list(time()), now);
                else s.failed();
            } else if (a.what == scheduler_do::fire) {
                if (chance(10)) s.failed();  // the request got lost
                else if (const auto reply = db.fire(s, time()); chance(80)) s.fired(reply, now);
                else s.failed();  // the reply got lost
            } else now += std::chrono::milliseconds{random() % 50};
            if (chance(1)) s = scheduler{nullptr};  // its process died
        }
        const auto& fired = db.fired["a"];
        CHECK(fired == each(midnight, 1s, fired.size()));
        CHECK(midnight + 1s * static_cast<int>(fired.size()) >= time() - 5s);
    }
}

}  // namespace unit_fsm_scheduler
