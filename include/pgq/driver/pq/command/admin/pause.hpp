#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::pq::command::admin {

/// Pauses or drains something. False if it was so before; then only the reason changes.
class pause {
public:
    explicit pause(const pause_request& what) : what_{what} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::pause).text(what_.queue).text(what_.entrypoint).text(what_.reason).text(name_of(what_.kind));
        out.end_transaction();
    }
    static result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        return in[0][0].flag(0);
    }

private:
    pause_request what_;
};

/// Ends a pause and a drain. False if there was neither.
class resume {
public:
    resume(std::string_view queue, std::string_view entrypoint) : queue_{queue}, entrypoint_{entrypoint} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::resume).text(queue_).text(entrypoint_);
        out.end_transaction();
    }
    static result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        return in[0][0].flag(0);
    }

private:
    std::string_view queue_, entrypoint_;
};

/// What is paused or draining of a queue, and of everything.
class paused {
public:
    explicit paused(std::string_view queue) : queue_{queue} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::find_paused).text(queue_);
        out.end_transaction();
    }
    static result<std::vector<paused_scope>> read(const answers& in) {
        return rows_of<paused_scope>(in, in[0], [](row_view row) {
            return paused_scope{
                .queue = std::string{row.cell(0)},
                .entrypoint = std::string{row.cell(1)},
                .kind = row.cell(2) == name_of(pause_kind::draining) ? pause_kind::draining : pause_kind::paused,
                .since = time_point{std::chrono::microseconds{row.number<std::int64_t>(3)}},
                .reason = std::string{row.cell(4)}};
        });
    }

private:
    std::string_view queue_;
};

}  // namespace pgq::driver::pq::command::admin
