#pragma once

#include <pgq/job/id.hpp>
#include <pgq/protocol/histogram.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::statement {

/// Stores report $2 of worker $1, unless it is stored already or the worker is not registered. $3 lanes, $4 minutes
/// since 1970 or 0 for the present one, $5 to $10 counts, $11 and $12 sums of microseconds, $13 and $14 histograms.
inline constexpr query add_minutes{"add_minutes", R"(
WITH mine AS (UPDATE {s}.worker SET counted = $2 WHERE id = $1 AND counted < $2 RETURNING id)
INSERT INTO {s}.minute AS m
       (lane, at, worker, enqueued, done, retried, held, discarded, cancelled, wait_us, run_us, wait, run)
SELECT r.lane, r.at, mine.id, sum(r.enqueued), sum(r.done), sum(r.retried), sum(r.held), sum(r.discarded),
       sum(r.cancelled), sum(r.wait_us), sum(r.run_us), sum(r.wait::numeric), sum(r.run::numeric)
  FROM mine, (
    SELECT *, CASE WHEN minute = 0 THEN date_trunc('minute', statement_timestamp())
                   ELSE 'epoch'::timestamptz + minute * interval '1 minute' END AS at
      FROM unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
           u(lane, minute, enqueued, done, retried, held, discarded, cancelled, wait_us, run_us, wait, run)) r
 WHERE r.at > statement_timestamp() - interval '48 hours'
 GROUP BY r.lane, r.at, mine.id ORDER BY r.lane, r.at
    ON CONFLICT (lane, at, worker) DO UPDATE SET
       enqueued = m.enqueued + EXCLUDED.enqueued, done = m.done + EXCLUDED.done, retried = m.retried + EXCLUDED.retried,
       held = m.held + EXCLUDED.held, discarded = m.discarded + EXCLUDED.discarded,
       cancelled = m.cancelled + EXCLUDED.cancelled, wait_us = m.wait_us + EXCLUDED.wait_us,
       run_us = m.run_us + EXCLUDED.run_us, wait = m.wait + EXCLUDED.wait, run = m.run + EXCLUDED.run)"};

/// Sums over the lanes $1 by lane and by steps of $5 microseconds, or by lane only if that is zero. The window is $2 to
/// $3, in microseconds since 1970, or the last $4 microseconds if that is above zero. If the steps are whole hours, the
/// whole hours of the window come from `hour`, and the minutes before and behind them from `minute`.
inline constexpr query statistics{"statistics", R"(
WITH w AS MATERIALIZED (
    SELECT b.low, b.high, CASE WHEN b.first < b.last THEN b.first ELSE b.high END AS first,
           CASE WHEN b.first < b.last THEN b.last ELSE b.high END AS last
      FROM (SELECT a.low, a.high, date_bin('1 hour', a.low + interval '1 hour' - interval '1 microsecond',
                                          'epoch'::timestamptz) AS first,
                   CASE WHEN $5 % 3600000000 = 0
                        THEN date_bin('1 hour', least(a.high, statement_timestamp()), 'epoch'::timestamptz)
                        ELSE a.low END AS last
              FROM (SELECT CASE WHEN $4 > 0 THEN statement_timestamp() - $4 * interval '1 microsecond'
                                ELSE 'epoch'::timestamptz + $2 * interval '1 microsecond' END AS low,
                           CASE WHEN $4 > 0 THEN 'infinity'
                                ELSE 'epoch'::timestamptz + $3 * interval '1 microsecond' END AS high) a) b),
part AS (
    SELECT m.lane, m.at, m.enqueued, m.done, m.retried, m.held, m.discarded, m.cancelled, m.expired, m.wait_us,
           m.run_us, m.wait, m.run
      FROM w JOIN {s}.minute m ON m.lane = ANY ($1) AND m.at >= w.low AND m.at < w.first AND m.worker = 0
     UNION ALL
    SELECT m.lane, m.at, m.enqueued, m.done, m.retried, m.held, m.discarded, m.cancelled, m.expired, m.wait_us,
           m.run_us, m.wait, m.run
      FROM w JOIN {s}.minute m ON m.lane = ANY ($1) AND m.at >= w.last AND m.at < w.high AND m.worker = 0
     WHERE w.last < w.high
     UNION ALL
    SELECT m.lane, m.at, m.enqueued, m.done, m.retried, m.held, m.discarded, m.cancelled, m.expired, m.wait_us,
           m.run_us, m.wait, m.run
      FROM w JOIN {s}.minute m ON m.lane = ANY ($1) AND m.at >= w.low AND m.at < w.high AND m.worker <> 0
     UNION ALL
    SELECT h.lane, h.at, h.enqueued, h.done, h.retried, h.held, h.discarded, h.cancelled, h.expired, h.wait_us,
           h.run_us, h.wait, h.run
      FROM w JOIN {s}.hour h ON h.lane = ANY ($1) AND h.at >= w.first AND h.at < w.last
     WHERE w.first < w.last)
SELECT p.lane, coalesce((extract(epoch FROM p.step) * 1000000)::int8, 0), sum(p.enqueued)::int8, sum(p.done)::int8,
       sum(p.retried)::int8, sum(p.held)::int8, sum(p.discarded)::int8, sum(p.cancelled)::int8, sum(p.expired)::int8,
       sum(p.wait_us)::int8, sum(p.run_us)::int8, sum(p.wait)::text, sum(p.run)::text
  FROM (SELECT *, CASE WHEN $5 > 0 THEN 'epoch'::timestamptz
                       + floor(extract(epoch FROM part.at) * 1000000 / nullif($5, 0)) * $5
                         * interval '1 microsecond' END AS step
          FROM part) p
 GROUP BY p.lane, p.step ORDER BY p.lane, p.step)",
                                  false};

/// See sql/0008_statistics.sql. The last column is the age of the oldest ready job in microseconds.
inline constexpr query counts_up_to{"counts_up_to", R"(
SELECT ready, waiting, blocked, held, leased, looked,
       (extract(epoch FROM clock_timestamp() - oldest) * 1000000)::int8 FROM {s}.count_capped($1, $2))"};
inline constexpr query latest_failures{"latest_failures",
                                       "SELECT id, lane, attempt, failed_at, reason FROM {s}.latest_failures($1, $2)"};
inline constexpr query keep_failures{
    "keep_failures", "UPDATE {s}.lane SET keep_failures = $2 * interval '1 microsecond' WHERE id = ANY ($1)"};

/// A histogram as the database stores it: twelve decimal digits for each bucket, the last bucket first.
inline std::string histogram_text(const duration_histogram& h) {
    constexpr std::size_t digits = 12;
    std::string text(duration_histogram::buckets * digits, '0');
    for (std::size_t i = 0; i < duration_histogram::buckets; ++i) {
        auto count = static_cast<std::uint64_t>(h.counts[i]);
        for (std::size_t at = text.size() - i * digits; count != 0; count /= 10)
            text[--at] = static_cast<char>('0' + count % 10);
    }
    return text.substr(std::min(text.find_first_not_of('0'), text.size() - 1));
}
inline duration_histogram histogram_of(std::string_view text, std::chrono::microseconds sum) noexcept {
    constexpr std::size_t digits = 12;
    duration_histogram h{.sum = sum};
    for (std::size_t i = 0; i < duration_histogram::buckets && !text.empty(); ++i) {
        const std::size_t n = std::min(digits, text.size());
        const auto part = text.substr(text.size() - n);
        std::from_chars(part.data(), part.data() + n, h.counts[i]);
        text.remove_suffix(n);
    }
    return h;
}

inline void bind_report(params& p, worker_id worker, const minute_report& report) {
    const auto& rows = report.rows;
    const auto numbers = [&](std::int64_t job_statistics::*member) {
        p.int8s(rows.size(), [&](std::size_t i) { return rows[i].what.*member; });
    };
    const auto sums = [&](duration_histogram job_statistics::*member) {
        p.int8s(rows.size(), [&](std::size_t i) { return std::int64_t{(rows[i].what.*member).sum.count()}; });
    };
    std::string text;
    const auto histograms = [&](duration_histogram job_statistics::*member) {
        p.texts(rows.size(),
                [&](std::size_t i) -> const std::string& { return text = histogram_text(rows[i].what.*member); });
    };
    p.number(worker.value).number(report.number);
    p.int4s(rows.size(), [&](std::size_t i) { return rows[i].lane.value; });
    p.int8s(rows.size(), [&](std::size_t i) { return rows[i].minute; });
    for (auto member : {&job_statistics::enqueued, &job_statistics::done, &job_statistics::retried,
                        &job_statistics::held, &job_statistics::discarded, &job_statistics::cancelled})
        numbers(member);
    for (auto member : {&job_statistics::wait, &job_statistics::run}) sums(member);
    for (auto member : {&job_statistics::wait, &job_statistics::run}) histograms(member);
}

/// Behind the lanes. No statistics are older than 1970, nor from after the year 9999.
inline void bind_window(params& p, const statistics_request& r) {
    const auto micros = [](duration d) { return std::chrono::duration_cast<std::chrono::microseconds>(d).count(); };
    const auto since_1970 = [](time_point t) {
        constexpr std::int64_t year_10000 = 253'402'300'800'000'000;
        return std::clamp<std::int64_t>(t.time_since_epoch().count(), 0, year_10000);
    };
    p.number(std::int64_t{since_1970(r.from)})
        .number(std::int64_t{since_1970(r.to)})
        .number(std::int64_t{micros(r.last)})
        .number(std::int64_t{micros(r.step)});
}

}  // namespace pgq::statement
