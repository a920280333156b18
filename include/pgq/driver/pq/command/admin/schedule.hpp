#pragma once

#include <pgq/driver/pq/command/listen.hpp>
#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/statement/schedule.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// Commands that declare, list and prune schedules.
namespace pgq::driver::pq::command::admin {

/// Stores a schedule; false if it is stored already as it is.
class declare_schedule {
public:
    declare_schedule(std::string_view queue, const schedule_definition& d) : queue_{queue}, definition_{&d} {}

    void compose(batch& out, const session_info&) const {
        statement::bind_declare_schedule(out.add(statement::declare_schedule), queue_, *definition_);
        out.end_transaction();
    }
    static result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        return in[0][0].flag(0);
    }

private:
    std::string_view queue_;
    const schedule_definition* definition_;
};

/// The schedules of a queue, or of all if its name is empty. From now on the session is notified when one changes,
/// where that is possible. `kept`: the names of schedules that this program declares.
class schedules {
public:
    schedules(std::string_view queue, std::span<const std::string> kept) : queue_{queue}, kept_{kept} {}

    void compose(batch& out, const session_info& info) {
        notifies_ = info.keeps_state;
        listen_.add_schedules(out, info);
        if (!kept_.empty()) {
            out.add(statement::keep_schedules).text(queue_).texts(kept_.size(), [&](std::size_t i) {
                return std::string_view{kept_[i]};
            });
            out.end_transaction();
        }
        out.add(statement::schedules).text(queue_);
        out.end_transaction();
    }
    result<schedule_list> read(const answers& in) const {
        if (auto e = in.first_error()) return std::move(*e);
        const step& s = in[in.size() - 1];
        schedule_list found{.now = s[0].time(0), .notifies = notifies_};
        for (int i = 0; i < s.rows(); ++i)
            if (!s[i].null(1)) found.all.push_back(read_row(s[i]));
        return found;
    }

private:
    static std::optional<time_point> time_or_none(row_view row, int column) {
        return row.null(column) ? std::nullopt : std::optional{row.time(column)};
    }
    static stored_schedule read_row(row_view row) {
        stored_schedule s{.name = std::string{row.cell(1)},
                          .entrypoint = std::string{row.cell(2)},
                          .lane = {row.number<std::int32_t>(3)},
                          .expression = std::string{row.cell(4)},
                          .zone = std::string{row.cell(5)},
                          .jitter = row.micros(6),
                          .starts_at = time_or_none(row, 7),
                          .ends_at = time_or_none(row, 8),
                          .missed_count = row.number<std::int32_t>(9),
                          .overlap = static_cast<overlap>(row.letter(11, 'a')),
                          .next_at = time_or_none(row, 12),
                          .fired_at = time_or_none(row, 13),
                          .paused_at = time_or_none(row, 15),
                          .pause_reason = std::string{row.cell(16)},
                          .declared_at = row.time(17)};
        if (!row.null(10)) s.missed_age = row.micros(10);
        if (!row.null(14)) s.fired_job = job_id{row.number<std::int64_t>(14)};
        return s;
    }

    std::string_view queue_;
    std::span<const std::string> kept_;
    bool notifies_ = false;
    listen listen_{};
};

/// Removes the schedules that no program has declared for so long. How many.
class prune_schedules {
public:
    prune_schedules(std::string_view queue, duration unused_for) : queue_{queue}, unused_for_{unused_for} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::prune_schedules).text(queue_).number(statement::detail::to_micros(unused_for_));
        out.end_transaction();
    }
    static result<std::int64_t> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        return in[0][0].number<std::int64_t>(0);
    }

private:
    std::string_view queue_;
    duration unused_for_;
};

}  // namespace pgq::driver::pq::command::admin
