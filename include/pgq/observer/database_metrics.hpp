#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/observer/database_numbers.hpp>
#include <pgq/observer/metric_families.hpp>
#include <pgq/protocol/limit.hpp>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <chrono>
#include <concepts>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::observer {

template <class F>
concept reads_numbers = requires(F& read) {
    { read() } -> std::same_as<result<database_numbers>>;
};

/// Exposes what the database knows of all queues of a schema to Prometheus: one for each database, in any one program.
/// docs/guides/monitoring.md lists the metrics.
///
///     auto numbers = std::make_shared<pgq::observer::database_metrics<pgq::driver::libpq>>(driver);
///     exposer.RegisterCollectable(numbers);
///
/// Each scrape reads once, over a connection of its own, and writes nothing. If the database cannot be read, the scrape
/// answers pgq_up 0 and nothing else, and `last_error()` says why. It is no observer of a queue. Any thread may call
/// any member; scrapes at the same time take turns.
///
/// `Source` is a driver, or a function that returns result<database_numbers>, for numbers that you read in another way.
template <class Source>
class database_metrics : public ::prometheus::Collectable {
    static constexpr bool valid = can_monitor<Source> || reads_numbers<Source>;
    static_assert(valid,
                  "pgq: database_metrics cannot read numbers from this source. Give it a driver that runs SQL, "
                  "such as driver::libpq, or a function that returns result<database_numbers>.");
    template <class S>
    struct reader_of {
        using type = S;
    };
    template <can_monitor S>
    struct reader_of<S> {
        using type = database_reader<S>;
    };

public:
    explicit database_metrics(Source source) : read_{std::move(source)} {}
    database_metrics(Source driver, const database_options& o) requires can_monitor<Source>
        : read_{std::move(driver), o} {}

    std::vector<::prometheus::MetricFamily> Collect() const override {
        const std::lock_guard lock{mutex_};
        const auto began = std::chrono::steady_clock::now();
        auto found = read();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        detail::metric_families all;
        all.gauge("pgq_up", "Whether the database could be read.").add(found ? 1 : 0);
        all.gauge("pgq_scrape_duration_seconds", "How long it took to read the database.").add(took.count());
        if (found) put(all, *found);
        else error_ = std::move(found.error());
        return all.take();
    }

    /// Why the latest scrape that failed did; no error if none has.
    error_info last_error() const {
        const std::lock_guard lock{mutex_};
        return error_;
    }

private:
    result<database_numbers> read() const {
        try {
            if constexpr (valid) return read_();
            else return errc::invalid_option;
        } catch (const std::exception& e) { return error_info{errc::connection_lost, e.what()}; }
    }
    static void put(detail::metric_families& to, const database_numbers& n) {
        put_jobs(to, n);
        to.gauge("pgq_queue_oldest_ready_age_seconds", "Time since the enqueue of the oldest job that is ready.");
        for (const auto& l : n.lanes)
            to.add(l.oldest_ready.value_or(0), {{"queue", l.queue}, {"entrypoint", l.entrypoint}});
        to.gauge("pgq_queue_paused", "Whether no job starts, because somebody paused it.");
        for (const auto& l : n.lanes) to.add(l.paused ? 1 : 0, {{"queue", l.queue}, {"entrypoint", l.entrypoint}});
        to.gauge("pgq_queue_draining", "Whether no job can be enqueued, because it drains.");
        for (const auto& l : n.lanes) to.add(l.draining ? 1 : 0, {{"queue", l.queue}, {"entrypoint", l.entrypoint}});
        to.gauge("pgq_lanes_left_out",
                 "Pairs of queue and entrypoint that are not exposed, because there are too many.")
            .add(static_cast<double>(n.lanes_left_out));
        to.gauge("pgq_deferred_overdue_seconds", "How long the first deferred job that is due waits to become ready.")
            .add(n.deferred_overdue);
        to.gauge("pgq_workers", "Registered workers, by state.")
            .add(static_cast<double>(n.workers_alive), {{"state", "alive"}})
            .add(static_cast<double>(n.workers_dead), {{"state", "dead"}});
        put_limits(to, n);
        put_database(to, n);
    }
    static void put_jobs(detail::metric_families& to, const database_numbers& n) {
        const auto states = [&](auto value_of) {
            for (const auto& l : n.lanes)
                for (const auto& [state, jobs] :
                     {std::pair{"ready", l.ready}, std::pair{"deferred", l.deferred}, std::pair{"blocked", l.blocked},
                      std::pair{"leased", bounded_number{l.leased}}, std::pair{"held", l.held}})
                    to.add(value_of(jobs), {{"queue", l.queue}, {"entrypoint", l.entrypoint}, {"state", state}});
        };
        to.gauge("pgq_queue_jobs", "Jobs by state, counted up to a bound.");
        states([](const bounded_number& b) { return static_cast<double>(b.value); });
        to.gauge("pgq_queue_jobs_capped", "Whether there are more jobs than pgq_queue_jobs says.");
        states([](const bounded_number& b) { return b.capped ? 1.0 : 0.0; });
    }
    static void put_limits(detail::metric_families& to, const database_numbers& n) {
        const auto each = [&](auto value_of) {
            for (const auto& l : n.limits)
                if (const std::optional<double> value = value_of(l))
                    to.add(*value, {{"queue", l.queue},
                                    {"entrypoint", l.entrypoint},
                                    {"kind", name_of(l.kind)},
                                    {"number", std::to_string(l.number)}});
        };
        to.gauge("pgq_limit_max", "What a limit of all workers allows: jobs that run at once, or start at once.");
        each([](const auto& l) { return std::optional{l.allowed}; });
        to.gauge("pgq_limit_running", "How much of pgq_limit_max is used: at the limit, no further job starts.");
        each([](const auto& l) { return std::optional{l.used}; });
        to.gauge("pgq_limit_rate", "Jobs that a limit of all workers lets start in a second.");
        each([](const auto& l) { return l.rate; });
    }
    static void put_database(detail::metric_families& to, const database_numbers& n) {
        to.gauge("pgq_table_bytes", "The size of a table with its indexes.");
        for (const auto& t : n.tables) to.add(static_cast<double>(t.bytes), {{"table", t.name}});
        to.gauge("pgq_table_dead_rows", "Rows that vacuum has not removed yet, by the server's estimate.");
        for (const auto& t : n.tables) to.add(static_cast<double>(t.dead_rows), {{"table", t.name}});
        to.gauge("pgq_oldest_snapshot_age_seconds", "Age of the oldest transaction that keeps dead rows alive.")
            .add(n.oldest_snapshot.value_or(0));
        to.gauge("pgq_schedule_overdue_seconds", "By how much the next tick of a schedule is late.");
        for (const auto& s : n.schedules) to.add(s.overdue, {{"queue", s.queue}, {"schedule", s.name}});
        to.gauge("pgq_schedule_paused", "Whether somebody paused the schedule.");
        for (const auto& s : n.schedules) to.add(s.paused ? 1 : 0, {{"queue", s.queue}, {"schedule", s.name}});
        to.gauge("pgq_schema_version", "The number of the newest migration of the schema.")
            .add(static_cast<double>(n.schema_version));
    }
    mutable std::mutex mutex_{};
    mutable typename reader_of<Source>::type read_;
    mutable error_info error_{};
};

}  // namespace pgq::observer
