// Minutes that are added up: hours, and the sums of all lanes, give the same numbers as the minutes.

#include <pgq/driver/libpq.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace integration_statistics {

using namespace std::chrono_literals;
using pgq::lane_id, pgq::statistics_request, pgq::time_point;
using test::database;

namespace {

const std::vector<lane_id> lanes{{1}, {2}, {3}};

time_point this_minute() { return std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now()); }

/// So many rows of workers that are gone, of three lanes and the last `ago` minutes: `done` is their only number.
void put_minutes(const database& db, int rows, int ago, std::uint64_t seed) {
    db.exec("SELECT setseed(" + std::to_string(static_cast<double>(seed % 1000) / 1000) + ")");
    db.exec(
        "INSERT INTO {s}.minute AS m (lane, at, worker, done, wait_us, wait)"
        " SELECT DISTINCT ON (1, 2, 3) 1 + (random() * 2)::int4, date_trunc('minute', now())"
        " - (random() * " +
        std::to_string(ago) +
        ")::int4 * interval '1 minute', 1 + n % 3, n, n * 1000, n * 1e24"
        " FROM generate_series(1, " +
        std::to_string(rows) +
        ") n"
        " ON CONFLICT (lane, at, worker) DO UPDATE SET done = m.done + EXCLUDED.done");
}
std::string literal(time_point t) {
    return "'epoch'::timestamptz + " + std::to_string(t.time_since_epoch().count()) + " * interval '1 microsecond'";
}
std::int64_t done_by_minutes(const database& db, time_point from, time_point to) {
    return db.query_int("SELECT coalesce(sum(done), 0) FROM {s}.minute WHERE lane > 0 AND at >= " + literal(from) +
                        " AND at < " + literal(to));
}
template <class Session>
std::int64_t done(Session& s, const statistics_request& r) {
    std::int64_t sum = 0;
    for (const auto& part : s.statistics(r).value()) sum += part.done;
    return sum;
}
void fold_all(const test::sql_connection& c) {
    while (c.query_int("SELECT {s}.fold_minutes('48 hours')") > 0) {}
}

}  // namespace

TEST_CASE("a long window has the sum of its minutes, wherever it begins and ends", "[integration][statistics]") {
    const auto seed = std::random_device{}();
    INFO("seed " << seed);
    std::mt19937_64 random{seed};
    const database db;
    put_minutes(db, 3000, 46 * 60, seed);
    fold_all(db.sql());
    put_minutes(db, 300, 46 * 60, seed + 1);  // these are not added up yet
    auto session = db.driver().connect(pgq::session_role::client).value();
    const auto now = this_minute();
    const auto within = [&](int minutes) {
        return std::chrono::seconds{random() % (60U * static_cast<unsigned>(minutes))};
    };
    for (int i = 0; i < 200; ++i) {
        const time_point from = now - within(47 * 60), to = from + within(i % 4 == 0 ? 90 : 47 * 60);
        const auto right = done_by_minutes(db, from, to);
        INFO("from " << (now - from).count() << " for " << (to - from).count() << " us");
        CHECK(done(session, {.lanes = lanes, .from = from, .to = to}) == right);
        CHECK(done(session, {.lanes = lanes, .from = from, .to = to, .step = 1h}) == right);
        CHECK(done(session, {.lanes = lanes, .from = from, .to = to, .step = 3h}) == right);
        CHECK(done(session, {.lanes = lanes, .from = from, .to = to, .step = 7min}) == right);
    }
    CHECK(done(session, {.lanes = lanes, .last = 47h}) == done_by_minutes(db, now - 47h + 1min, now + 1min));
    const auto parts = session.statistics({.lanes = lanes, .last = 47h, .step = 1h}).value();
    for (const auto& part : parts) {
        CHECK(part.at.time_since_epoch() % std::chrono::microseconds{1h} == 0us);
        CHECK(part.done == db.query_int("SELECT sum(done) FROM {s}.minute WHERE lane = " +
                                        std::to_string(part.lane.value) + " AND at >= " + literal(part.at) +
                                        " AND at >= now() - interval '47 hours' AND at < " + literal(part.at + 1h)));
    }
}

TEST_CASE("sessions that add up minutes at the same time leave the sums of all, of each lane and of each hour",
          "[integration][statistics]") {
    const database db;
    for (int round = 0; round < 5; ++round) {
        put_minutes(db, 2000, 180, static_cast<std::uint64_t>(round));
        const auto total = db.query_text("SELECT sum(done) || ' ' || sum(wait_us) FROM {s}.minute WHERE lane > 0");
        std::vector<std::thread> sessions;
        std::vector<std::string> errors(4);
        for (auto& error : errors)
            sessions.emplace_back([&] {
                try {
                    fold_all(test::sql_connection{test::dsn(), db.schema()});
                } catch (const std::exception& e) { error = e.what(); }
            });
        for (auto& s : sessions) s.join();
        CHECK(errors == std::vector<std::string>(4));
        CHECK(db.query_int("SELECT count(*) FROM {s}.minute WHERE worker <> 0") == 0);
        for (const auto* sums :
             {"minute WHERE lane > 0", "minute WHERE lane = 0", "hour WHERE lane > 0", "hour WHERE lane = 0"})
            CHECK(db.query_text("SELECT sum(done) || ' ' || sum(wait_us) FROM {s}." + std::string{sums}) == total);
    }
    const auto differences = [&](const std::string& minutes, const std::string& sums) {
        return db.query_int("SELECT count(*) FROM (" + minutes + " EXCEPT ALL " + sums + ") d");
    };
    CHECK(differences("SELECT at, sum(done), sum(wait) FROM {s}.minute WHERE lane > 0 GROUP BY at",
                      "SELECT at, done, wait FROM {s}.minute WHERE lane = 0") == 0);
    CHECK(differences("SELECT lane, date_bin('1 hour', at, 'epoch'::timestamptz), sum(done), sum(wait_us), sum(wait)"
                      " FROM {s}.minute GROUP BY 1, 2",
                      "SELECT lane, at, done, wait_us, wait FROM {s}.hour") == 0);
}

TEST_CASE("minutes and hours that are too old are deleted, and no hour before its minutes",
          "[integration][statistics]") {
    const database db;
    db.exec("INSERT INTO {s}.lane (queue, entrypoint) SELECT 'q', n FROM generate_series(1, 3) n");
    put_minutes(db, 2000, 52 * 60, 7);
    fold_all(db.sql());
    fold_all(db.sql());
    CHECK(db.query_int("SELECT count(*) FROM {s}.minute WHERE at < now() - interval '48 hours'") == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.hour WHERE at < now() - interval '49 hours'") == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.minute m WHERE NOT EXISTS (SELECT FROM {s}.hour h"
                       " WHERE h.lane = m.lane AND h.at = date_bin('1 hour', m.at, 'epoch'::timestamptz))") == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.minute WHERE lane = 0") > 0);
}

}  // namespace integration_statistics
