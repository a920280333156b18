#include <pgq/cron.hpp>

#include <support/catch.hpp>
#include <support/table_zone.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_cron_zones {

using namespace pgq;
using namespace std::chrono_literals;
using std::chrono::sys_days;
using support::table_zone;

constexpr std::chrono::sys_seconds on(int year, unsigned month, unsigned day, std::chrono::seconds time = 0s) {
    return std::chrono::sys_seconds{
               sys_days{std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day}}} +
           time;
}

table_zone berlin() { return {1h, {{on(2026, 3, 29, 1h), 2h}, {on(2026, 10, 25, 1h), 1h}}}; }
table_zone new_york() { return {-5h, {{on(2026, 3, 8, 7h), -4h}, {on(2026, 11, 1, 6h), -5h}}}; }
// Half an hour of daylight saving time, in the southern summer.
table_zone lord_howe() { return {11h, {{on(2026, 4, 4, 15h), 10h + 30min}, {on(2026, 10, 3, 15h + 30min), 11h}}}; }
// Changed from +05:30 to +05:45 in 1986, with no daylight saving time.
table_zone kathmandu() { return {5h + 30min, {{on(1985, 12, 31, 18h + 30min), 5h + 45min}}}; }
// Went over the date line: there was no 30 December 2011.
table_zone apia() { return {-10h, {{on(2011, 12, 30, 10h), 14h}}}; }

struct row {
    std::string_view text;
    time_point after;
    std::vector<time_point> times;
};

// The times after `after`, and the same ones backwards.
void check(const table_zone& zone, const std::vector<row>& rows) {
    for (const row& r : rows) {
        INFO(r.text);
        const auto e = cron::expression::parse(r.text).value();
        CHECK(e.next_times(r.after, r.times.size(), zone) == r.times);
        time_point at = r.times.back() + 1us;
        for (auto expected = r.times.rbegin(); expected != r.times.rend(); ++expected) {
            at = e.previous(at, zone);
            CHECK(at == *expected);
        }
        CHECK(e.previous(at, zone) <= r.after);
    }
}

TEST_CASE("a fixed time is a time of the zone's clock", "[cron][zones]") {
    CHECK(cron::every<"30 2 * * *">.next(on(2026, 1, 1), cron::fixed_offset{5h + 45min}) ==
          on(2026, 1, 1, 20h + 45min));
    CHECK(cron::every<"30 2 * * *">.next(on(2026, 1, 1), cron::fixed_offset{-8h}) == on(2026, 1, 1, 10h + 30min));
    check(berlin(), {{"30 2 * * *", on(2026, 3, 27), {on(2026, 3, 27, 1h + 30min), on(2026, 3, 28, 1h + 30min)}},
                     {"0 0 1 * *", on(2026, 4, 2), {on(2026, 4, 30, 22h), on(2026, 5, 31, 22h)}}});
}

TEST_CASE("a fixed time in a gap fires once, at its end", "[cron][zones]") {
    check(berlin(), {
                        {"30 2 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 29, 1h), on(2026, 3, 30, 0h + 30min)}},
                        {"0 2 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 29, 1h), on(2026, 3, 30, 0h)}},
                        {"0,15,30 2 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 29, 1h), on(2026, 3, 30, 0h)}},
                        {"30 2,3 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 29, 1h), on(2026, 3, 29, 1h + 30min)}},
                        {"0 2,3 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 29, 1h), on(2026, 3, 30, 0h)}},
                        {"15 30 2 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 29, 1h), on(2026, 3, 30, 30min + 15s)}},
                    });
    check(lord_howe(), {{"15 2 * * *", on(2026, 10, 3), {on(2026, 10, 3, 15h + 30min), on(2026, 10, 4, 15h + 15min)}}});
    check(new_york(), {{"30 2 * * *", on(2026, 3, 8), {on(2026, 3, 8, 7h), on(2026, 3, 9, 6h + 30min)}}});
    check(kathmandu(), {{"5 0 * * *", on(1985, 12, 31), {on(1985, 12, 31, 18h + 30min), on(1986, 1, 1, 18h + 20min)}}});
    check(apia(),
          {{"0 12 * * *", on(2011, 12, 29), {on(2011, 12, 29, 22h), on(2011, 12, 30, 10h), on(2011, 12, 30, 22h)}},
           {"0 12 30 12 *", on(2011, 1, 1), {on(2011, 12, 30, 10h), on(2012, 12, 29, 22h)}}});
}

TEST_CASE("a fixed time that comes twice fires once, the first time", "[cron][zones]") {
    check(
        berlin(),
        {
            {"30 2 * * *", on(2026, 10, 24, 12h), {on(2026, 10, 25, 0h + 30min), on(2026, 10, 26, 1h + 30min)}},
            {"30 1-3 * * *",
             on(2026, 10, 24, 23h),
             {on(2026, 10, 24, 23h + 30min), on(2026, 10, 25, 0h + 30min), on(2026, 10, 25, 2h + 30min)}},
            {"0,30 2 * * *", on(2026, 10, 24, 12h), {on(2026, 10, 25), on(2026, 10, 25, 30min), on(2026, 10, 26, 1h)}},
        });
    // In the second hour of the two nothing is left of this day.
    CHECK(cron::every<"30 2 * * *">.next(on(2026, 10, 25, 1h + 10min), berlin()) == on(2026, 10, 26, 1h + 30min));
    CHECK(cron::every<"30 2 * * *">.previous(on(2026, 10, 25, 1h + 10min), berlin()) == on(2026, 10, 25, 30min));
    CHECK(cron::every<"45 2 * * *">.previous(on(2026, 10, 25, 1h + 10min), berlin()) == on(2026, 10, 25, 45min));
    check(lord_howe(), {{"45 1 * * *", on(2026, 4, 4), {on(2026, 4, 4, 14h + 45min), on(2026, 4, 5, 15h + 15min)}}});
    check(new_york(), {{"30 1 * * *", on(2026, 11, 1), {on(2026, 11, 1, 5h + 30min), on(2026, 11, 2, 6h + 30min)}}});
}

TEST_CASE("an expression with a star in minutes or hours follows real time", "[cron][zones]") {
    const auto gap = on(2026, 3, 29);
    const auto repeat = on(2026, 10, 25);
    check(berlin(),
          {
              {"*/30 * * * *", gap + 30min, {gap + 1h, gap + 90min, gap + 2h}},
              {"*/30 * * * *", repeat - 1min, {repeat, repeat + 30min, repeat + 1h, repeat + 90min, repeat + 2h}},
              {"0 */2 * * *", gap - 90min, {gap - 1h, gap + 2h, gap + 4h}},
              {"*/30 2 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 30), on(2026, 3, 30, 30min)}},
              {"*/30 2 * * *", repeat - 1h, {repeat, repeat + 30min, repeat + 1h, repeat + 90min}},
              {"* 30 2 * * *", on(2026, 3, 28, 12h), {on(2026, 3, 30, 30min), on(2026, 3, 30, 30min + 1s)}},
          });
    check(lord_howe(),
          {{"0 * * * *", on(2026, 4, 4, 14h), {on(2026, 4, 4, 15h + 30min), on(2026, 4, 4, 16h + 30min)}},
           {"*/10 2 * * *", on(2026, 4, 4, 15h), {on(2026, 4, 4, 15h + 30min), on(2026, 4, 4, 15h + 40min)}},
           {"*/15 * * * *", on(2026, 10, 3, 15h + 15min), {on(2026, 10, 3, 15h + 30min)}}});
}

TEST_CASE("a far date crosses all changes of a zone", "[cron][zones]") {
    std::vector<table_zone::change> changes;
    for (int year = 2016; year < 2050; ++year) {
        changes.push_back({on(year, 3, 29, 1h), 2h});
        changes.push_back({on(year, 10, 25, 1h), 1h});
    }
    const table_zone zone{1h, changes};
    CHECK(cron::every<"* 0 ? 2 1#5">.next(on(2016, 3, 1), zone) == on(2044, 2, 28, 23h));
    CHECK(cron::every<"* 0 ? 2 1#5">.previous(on(2044, 2, 28), zone) == on(2016, 2, 28, 23h + 59min));
    CHECK(cron::every<"0 0 ? 2 1#5">.next(on(2016, 3, 1), zone) == on(2044, 2, 28, 23h));
}

// The definition, minute by minute: which times fire between `begin` and `end`.
std::vector<time_point> by_definition(const cron::expression& e, const table_zone& zone, std::chrono::sys_seconds begin,
                                      std::chrono::sys_seconds end) {
    const auto fits = [&](std::chrono::seconds local) {
        const time_point t{local};
        return e.next(t - 1us) == t;
    };
    std::vector<time_point> times;
    std::chrono::seconds last_local = begin.time_since_epoch() + zone.period_at(begin - 1s).offset - 1s;
    for (auto t = begin; t < end; t += 1min) {
        const auto offset = zone.period_at(t).offset;
        const auto local = t.time_since_epoch() + offset;
        bool fires = false;
        if (e.fields.follows_real_time) fires = fits(local);
        else  // everything that the clock has passed for the first time
            for (auto l = std::max(last_local + 1s, local - 3h); l <= local; l += 1s)
                if (l.count() % 60 == 0 && fits(l)) fires = true;
        last_local = std::max(last_local, local);
        if (fires) times.push_back(t);
    }
    return times;
}

TEST_CASE("around each change all times are those of the definition", "[cron][zones]") {
    const std::vector<std::pair<table_zone, std::vector<table_zone::change>>> zones{
        {berlin(), {{on(2026, 3, 29, 1h), 0s}, {on(2026, 10, 25, 1h), 0s}}},
        {new_york(), {{on(2026, 3, 8, 7h), 0s}, {on(2026, 11, 1, 6h), 0s}}},
        {lord_howe(), {{on(2026, 4, 4, 15h), 0s}, {on(2026, 10, 3, 15h + 30min), 0s}}},
        {kathmandu(), {{on(1985, 12, 31, 18h + 30min), 0s}}},
    };
    for (const std::string_view text : {"30 2 * * *", "*/7 * * * *", "0,20,45 0-4 * * *", "*/20 1-3 * * *",
                                        "15 */2 * * *", "59 0-23 * * *", "5/15 2 * * *", "0 3 * * *", "1 0 * * *"}) {
        INFO(text);
        const auto e = cron::expression::parse(text).value();
        for (const auto& [zone, changes] : zones)
            for (const auto& change : changes) {
                const auto expected = by_definition(e, zone, change.at - 4h, change.at + 5h);
                std::vector<time_point> found;
                for (auto t = e.next(change.at - 4h - 1us, zone); t < change.at + 5h; t = e.next(t, zone))
                    found.push_back(t);
                CHECK(found == expected);
                std::vector<time_point> backwards;
                for (auto t = e.previous(change.at + 5h, zone); t >= change.at - 4h; t = e.previous(t, zone))
                    backwards.insert(backwards.begin(), t);
                CHECK(backwards == expected);
            }
    }
}

}  // namespace unit_cron_zones
