#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/observer/database_queries.hpp>
#include <pgq/protocol/limit.hpp>
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
    /// A limit of all workers together. `used` reaches `allowed` when it holds jobs back.
    struct limit {
        std::string queue{};
        std::string entrypoint{};  ///< empty: the whole queue
        limit_kind kind = limit_kind::running;
        std::int16_t number = 0;
        double allowed = 0;  ///< jobs that may run at once (of one key); of a rate: jobs that may start at once
        double used = 0;     ///< jobs that run, of the key with the most; of a rate: starts that are used up
        std::optional<double> rate{};  ///< of a rate: jobs that may start in a second
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
    std::vector<limit> limits{};
    std::vector<schedule> schedules{};
};

struct database_options {
    std::int64_t count_up_to = 10'000;  ///< of the jobs in each state of an entrypoint
    /// Of the jobs in each state of all entrypoints together, about: each is counted up to its part of it, and at least
    /// up to 20. So a scrape takes the same time with one entrypoint and with hundreds.
    std::int64_t count_in_all = 20'000;
    std::int64_t max_lanes = 200;  ///< so many pairs of queue and entrypoint, limits, and schedules are read
    /// The server ends a statement that takes longer: the scrape then says pgq_up 0.
    std::chrono::milliseconds statement_timeout{5000};
};

/// A driver whose sessions run SQL in a transaction, and which says where the tables are.
template <class D>
concept can_monitor = driver_policy<D> && can_transact<typename D::session> && can_run_sql<typename D::session> &&
    requires(const D& d) {
    { d.options().schema } -> std::convertible_to<std::string_view>;
};

/// Reads the numbers of a schema in one transaction that cannot write. It connects with the first call, and again with
/// the first call after the connection broke. A role with the rights of a reader is enough. One thread at a time calls
/// it.
template <can_monitor Driver>
class database_reader {
public:
    explicit database_reader(Driver driver, const database_options& o = {}) : driver_{std::move(driver)}, options_{o} {}

    result<database_numbers> operator()() {
        if (session_ && !pgq::detail::is_usable(*session_)) session_.reset();
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
        for (const auto step :
             {&database_reader::read_totals, &database_reader::read_lanes, &database_reader::read_limits,
              &database_reader::read_tables, &database_reader::read_schedules})
            if (auto done = (this->*step)(n); !done) return std::move(done.error());
        return n;
    }
    result<void> read_totals(database_numbers& n) {
        auto found = run(queries::totals, {});
        if (!found) return std::move(found.error());
        const texts r = (*found)[0];
        n.lanes_left_out = std::max<std::int64_t>(0, integer(r[0]) - options_.max_lanes);
        lanes_shown_ = integer(r[0]) - n.lanes_left_out;
        n.workers_alive = integer(r[1]);
        n.workers_dead = integer(r[2]);
        n.deferred_overdue = number(r[3]);
        if (r[4]) n.oldest_snapshot = number(r[4]);
        n.schema_version = integer(r[5]);
        return {};
    }
    result<void> read_lanes(database_numbers& n) {
        constexpr std::int64_t fewest = 20;
        const std::int64_t part = options_.count_in_all / std::max<std::int64_t>(1, lanes_shown_);
        const std::int64_t bound = std::min(options_.count_up_to, std::max(fewest, part));
        auto found = run(queries::lanes, std::array{cell(bound), cell(options_.max_lanes)});
        if (!found) return std::move(found.error());
        for (std::size_t i = 0; i < found->size(); ++i) n.lanes.push_back(lane_of((*found)[i], bound));
        return {};
    }
    result<void> read_limits(database_numbers& n) {
        auto found = run(queries::limits, std::array{cell(options_.max_lanes)});
        if (!found) return std::move(found.error());
        for (std::size_t i = 0; i < found->size(); ++i) {
            const texts r = (*found)[i];
            n.limits.push_back({.queue = r[0].value_or(""),
                                .entrypoint = r[1].value_or(""),
                                .kind = static_cast<limit_kind>(r[2].value_or("c").at(0)),
                                .number = static_cast<std::int16_t>(integer(r[3])),
                                .allowed = number(r[4]),
                                .used = std::max(0.0, number(r[5])),
                                .rate = r[6] ? std::optional{number(r[6])} : std::nullopt});
        }
        return {};
    }
    result<void> read_tables(database_numbers& n) {
        auto found = run(queries::tables, {});
        if (!found) return std::move(found.error());
        for (std::size_t i = 0; i < found->size(); ++i) {
            const texts r = (*found)[i];
            n.tables.push_back({r[0].value_or(""), integer(r[1]), integer(r[2])});
        }
        return {};
    }
    result<void> read_schedules(database_numbers& n) {
        auto found = run(queries::schedules, std::array{cell(options_.max_lanes)});
        if (!found) return std::move(found.error());
        for (std::size_t i = 0; i < found->size(); ++i) {
            const texts r = (*found)[i];
            n.schedules.push_back({r[0].value_or(""), r[1].value_or(""), number(r[2]), truth(r[3])});
        }
        return {};
    }
    result<sql_rows> run(std::string_view text, std::span<const sql_rows::cell> parameters) {
        return session_->exec(statement::render(text, driver_.options().schema), parameters);
    }
    static lane_numbers lane_of(texts r, std::int64_t bound) {
        const auto bounded = [bound](std::int64_t found) {
            return bounded_number{std::min(found, bound), found > bound};
        };
        // Deferred and blocked jobs are counted together.
        const bool cut = integer(r[3]) + integer(r[4]) > bound;
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

    static sql_rows::cell cell(std::int64_t n) { return std::to_string(n); }
    static std::int64_t integer(const sql_rows::cell& c) noexcept { return c ? std::atoll(c->c_str()) : 0; }
    static double number(const sql_rows::cell& c) noexcept { return c ? std::strtod(c->c_str(), nullptr) : 0; }
    static bool truth(const sql_rows::cell& c) noexcept { return c == "t"; }

    Driver driver_;
    database_options options_;
    std::optional<typename Driver::session> session_{};
    std::int64_t lanes_shown_ = 0;
};

}  // namespace pgq::observer
