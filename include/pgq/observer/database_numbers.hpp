#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/observer/database_queries.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::observer {

/// A number of jobs that was counted up to a bound.
struct bounded_number {
    std::int64_t value = 0;
    bool capped = false;  ///< there are more than `value`
    friend bool operator==(const bounded_number&, const bounded_number&) = default;
};

/// The jobs of one entrypoint of one queue.
struct lane_numbers {
    std::string queue{};
    std::string entrypoint{};
    bounded_number ready{};
    bounded_number deferred{};
    bounded_number blocked{};
    bounded_number held{};
    std::int64_t leased = 0;
    std::optional<double> oldest_ready{};  ///< seconds since the enqueue of the oldest ready job
    bool paused = false;
    bool draining = false;
};

/// What database_metrics exposes. Ages are in seconds, by the database's clock.
struct database_numbers {
    struct table {
        std::string name{};
        std::int64_t bytes = 0;
        std::int64_t dead_rows = 0;
    };
    struct schedule {
        std::string queue{};
        std::string name{};
        double overdue = 0;
        bool paused = false;
    };

    std::vector<lane_numbers> lanes{};
    std::int64_t lanes_left_out = 0;  ///< beyond database_options::max_lanes
    std::int64_t workers_alive = 0;
    std::int64_t workers_dead = 0;  ///< their jobs wait for a rescue
    double deferred_overdue = 0;
    std::optional<double> oldest_snapshot{};
    std::int64_t schema_version = 0;
    std::vector<table> tables{};
    std::vector<schedule> schedules{};
};

struct database_options {
    std::int64_t count_up_to = 10'000;  ///< of the jobs in each state of an entrypoint
    std::int64_t max_lanes = 200;       ///< so many pairs of queue and entrypoint, and so many schedules, are read
    /// The server ends a statement that takes longer: the scrape then says pgq_up 0.
    std::chrono::milliseconds statement_timeout{2000};
};

/// A driver whose sessions run SQL in a transaction, and which says where the tables are.
template <class D>
concept can_monitor = driver_policy<D> && can_transact<typename D::session> && can_run_sql<typename D::session> &&
    requires(const D& d) {
    { d.options().schema } -> std::convertible_to<std::string_view>;
};

/// Reads the numbers of a schema in one transaction that cannot write. It connects with the first call, and again after
/// the connection broke. A role with the rights of a reader is enough. One thread at a time calls it.
template <can_monitor Driver>
class database_reader {
public:
    explicit database_reader(Driver driver, const database_options& o = {}) : driver_{std::move(driver)}, options_{o} {}

    result<database_numbers> operator()() {
        if (!session_) {
            auto opened = driver_.connect(session_role::client);
            if (!opened) return std::move(opened.error());
            session_.emplace(std::move(*opened));
        }
        auto numbers = read();
        const auto ended = session_->rollback();
        if (!numbers || !ended) session_.reset();
        return numbers;
    }

private:
    using texts = std::span<const sql_rows::cell>;

    result<database_numbers> read() {
        database_numbers n;
        if (auto begun = session_->begin(); !begun) return std::move(begun.error());
        for (const std::string& setting :
             {std::string{"SET TRANSACTION READ ONLY"},
              "SET LOCAL statement_timeout = " + std::to_string(options_.statement_timeout.count())})
            if (auto done = run(setting, {}); !done) return std::move(done.error());

        const auto most = std::to_string(options_.max_lanes);
        auto lanes = run(queries::lanes, std::array{cell(std::to_string(options_.count_up_to)), cell(most)});
        if (!lanes) return std::move(lanes.error());
        for (std::size_t i = 0; i < lanes->size(); ++i) n.lanes.push_back(lane_of((*lanes)[i]));

        auto totals = run(queries::totals, {});
        if (!totals) return std::move(totals.error());
        const texts t = (*totals)[0];
        n.lanes_left_out = std::max<std::int64_t>(0, integer(t[0]) - options_.max_lanes);
        n.workers_alive = integer(t[1]);
        n.workers_dead = integer(t[2]);
        n.deferred_overdue = number(t[3]);
        if (t[4]) n.oldest_snapshot = number(t[4]);
        n.schema_version = integer(t[5]);

        auto tables = run(queries::tables, {});
        if (!tables) return std::move(tables.error());
        for (std::size_t i = 0; i < tables->size(); ++i) {
            const texts r = (*tables)[i];
            n.tables.push_back({r[0].value_or(""), integer(r[1]), integer(r[2])});
        }
        auto schedules = run(queries::schedules, std::array{cell(most)});
        if (!schedules) return std::move(schedules.error());
        for (std::size_t i = 0; i < schedules->size(); ++i) {
            const texts r = (*schedules)[i];
            n.schedules.push_back({r[0].value_or(""), r[1].value_or(""), number(r[2]), truth(r[3])});
        }
        return n;
    }
    result<sql_rows> run(std::string_view text, std::span<const sql_rows::cell> parameters) {
        return session_->exec(statement::render(text, driver_.options().schema), parameters);
    }
    lane_numbers lane_of(texts r) const {
        // Deferred and blocked jobs are counted together.
        const bool cut = integer(r[3]) + integer(r[4]) > options_.count_up_to;
        return {.queue = r[0].value_or(""),
                .entrypoint = r[1].value_or(""),
                .ready = bounded(integer(r[2])),
                .deferred = {integer(r[3]), cut},
                .blocked = {integer(r[4]), cut},
                .held = bounded(integer(r[5])),
                .leased = integer(r[6]),
                .oldest_ready = r[7] ? std::optional{std::max(0.0, number(r[7]))} : std::nullopt,
                .paused = truth(r[8]),
                .draining = truth(r[9])};
    }
    bounded_number bounded(std::int64_t found) const noexcept {
        return {std::min(found, options_.count_up_to), found > options_.count_up_to};
    }

    static sql_rows::cell cell(std::string text) { return text; }
    static std::int64_t integer(const sql_rows::cell& c) noexcept { return c ? std::atoll(c->c_str()) : 0; }
    static double number(const sql_rows::cell& c) noexcept { return c ? std::strtod(c->c_str(), nullptr) : 0; }
    static bool truth(const sql_rows::cell& c) noexcept { return c == "t"; }

    Driver driver_;
    database_options options_;
    std::optional<typename Driver::session> session_{};
};

}  // namespace pgq::observer
