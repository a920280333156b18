#pragma once

#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/doubt.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/statement/schedule.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

/// Commands that enqueue the jobs of schedules.
namespace pgq::driver::pq::command::admin {

/// Fires ticks: one statement, one transaction for all.
class fire_schedules {
public:
    fire_schedules(std::string_view queue, std::span<const schedule_firing> all) : queue_{queue}, all_{all} {}

    void compose(batch& out, const session_info&) const {
        if (all_.empty()) return;
        statement::bind_fire_schedules(out.add(statement::fire_schedules), queue_, all_);
        out.end_transaction();
    }
    result<fire_reply> read(const answers& in) {
        fire_reply reply;
        if (in.size() == 0) return reply;
        if (auto e = in.first_error()) return std::move(*e);
        reply.all.resize(all_.size());
        for (int i = 0; i < in[0].rows(); ++i) {
            const row_view row = in[0][i];
            const auto number = static_cast<std::size_t>(row.number<std::int32_t>(1)) - 1;
            if (number >= all_.size()) return error_info{errc::protocol, "a schedule was fired that was not named"};
            reply.now = row.time(0);
            auto& answer = reply.all[number];
            answer.outcome = static_cast<fire_outcome>(row.letter(2, 'g'));
            if (!row.null(3)) answer.next_at = row.time(3);
            read_ticks(row, answer);
            if (!answer.ticks.empty()) fired_.lanes.push_back(all_[number].lane);
        }
        fired_.noted = !fired_.lanes.empty();  // a cancelled job may have freed others
        return reply;
    }
    wake_list wakes() const { return fired_; }

private:
    static void read_ticks(row_view row, fire_answer& answer) {
        statement::wire::array_reader jobs{row.cell(4)}, reasons{row.cell(5)};
        for (std::size_t i = 0, n = jobs.size(); i < n; ++i) {
            auto& tick = answer.ticks.emplace_back();
            const auto id = jobs.next();
            if (!jobs.was_null()) tick.job = job_id{statement::wire::load<std::int64_t>(id.data())};
            tick.reason = reasons.next();
        }
    }

    std::string_view queue_;
    std::span<const schedule_firing> all_;
    wake_list fired_{};
};

/// Pauses, resumes, removes or fires one schedule.
class change_schedule {
public:
    change_schedule(std::string_view queue, std::string_view name, schedule_change change, std::string_view reason)
        : queue_{queue}, name_{name}, change_{change}, reason_{reason} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::change_schedule).text(queue_).text(name_).letter(static_cast<char>(change_)).text(reason_);
        out.end_transaction();
    }
    result<schedule_change_reply> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        const row_view row = in[0][0];
        schedule_change_reply reply{.changed = row.flag(0)};
        if (!row.null(1)) reply.fired.job = job_id{row.number<std::int64_t>(1)};
        reply.fired.reason = row.cell(2);
        if (!row.null(3)) fired_ = {.lanes = {{row.number<std::int32_t>(3)}}, .noted = true};
        return reply;
    }
    wake_list wakes() const { return fired_; }

private:
    std::string_view queue_;
    std::string_view name_;
    schedule_change change_;
    std::string_view reason_;
    wake_list fired_{};
};

}  // namespace pgq::driver::pq::command::admin
