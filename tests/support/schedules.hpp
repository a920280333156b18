#pragma once

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/process.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace test {

inline process start_scheduler(const database& db, const std::string& rules, const std::string& missed = "1000") {
    process p{{PGQ_TEST_PROGRAMS "/scheduler", "dsn=" + db.conninfo(), "schema=" + db.schema(), "rules=" + rules,
               "missed=" + missed}};
    REQUIRE(p.says("READY"));
    return p;
}

/// The ticks of a schedule whose jobs wait: a statement without the name of the schedule and its end.
inline constexpr const char* ticks_of = R"(
    SELECT (headers->>'pgq-scheduled-at')::timestamptz AS tick, enqueued_at FROM {s}.ready
     WHERE headers->>'pgq-schedule' = ')";

inline std::int64_t count_ticks(const database& db, const std::string& schedule) {
    return db.query_int(std::string{"SELECT count(*) FROM ("} + ticks_of + schedule + "') t");
}

/// Checks that each second has its tick, and none has two.
inline void check_seconds(const database& db, const std::string& schedule) {
    const std::string ticks = std::string{"("} + ticks_of + schedule + "') t";
    CHECK(db.query_text("SELECT string_agg(tick::text, ', ') FROM (SELECT tick FROM " + ticks +
                        " GROUP BY tick HAVING count(*) > 1) d")
              .empty());
    CHECK(db.query_text("SELECT string_agg(s::text, ', ') FROM (SELECT min(tick) AS a, max(tick) AS b FROM " + ticks +
                        ") m, generate_series(a, b, interval '1 second') s WHERE s NOT IN (SELECT tick FROM " + ticks +
                        ")")
              .empty());
}

/// How late the ticks of a schedule were fired.
struct lateness {
    std::int64_t within_50_ms = 0;  ///< of a hundred ticks
    std::string text{};             ///< for people
};

/// Two scheduler processes, one of which is killed every two seconds, for so many ticks.
inline lateness fire_while_killed(std::int64_t ticks) {
    const database db;
    const std::string rule = "second=* * * * * *";
    auto steady = start_scheduler(db, rule);
    auto killed = std::make_unique<process>(start_scheduler(db, rule));
    int kills = 0;
    auto next = std::chrono::steady_clock::now() + std::chrono::seconds{2};
    REQUIRE(eventually(std::chrono::seconds{ticks} + test_timeout, [&] {
        if (std::chrono::steady_clock::now() >= next) {
            // In turn, so that no scheduler lives long.
            if (++kills % 2 == 0) killed = std::make_unique<process>(start_scheduler(db, rule));
            else steady = start_scheduler(db, rule);
            next = std::chrono::steady_clock::now() + std::chrono::seconds{2};
        }
        return count_ticks(db, "second") >= ticks;
    }));
    check_seconds(db, "second");
    const std::string from = std::string{" FROM ("} + ticks_of + "second') t";
    CHECK(db.query_int("SELECT count(*)" + from + " WHERE enqueued_at < tick") == 0);
    const std::string prompt = "count(*) FILTER (WHERE enqueued_at - tick < interval '50 ms')";
    return {db.query_int("SELECT 100 * " + prompt + " / count(*)" + from),
            db.query_text("SELECT count(*) || ' ticks, ' || " + prompt +
                          " || ' within 50 ms, median ' || "
                          "percentile_disc(0.5) WITHIN GROUP (ORDER BY enqueued_at - tick) || ', worst ' || "
                          "max(enqueued_at - tick)" +
                          from) +
                ", " + std::to_string(kills) + " kills"};
}

}  // namespace test
