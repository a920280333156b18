#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/statement/admin.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::pq::command::admin {

/// Makes the limits that are missing and finds all of the queue.
class limits {
public:
    limits(std::string_view queue, std::span<const lane_limit> declared) : queue_{queue}, declared_{declared} {}

    void compose(batch& out, const session_info&) const {
        if (!declared_.empty()) {
            statement::bind_limits(out.add(statement::add_limits).text(queue_), declared_);
            out.end_transaction();
        }
        out.add(statement::find_limits).text(queue_);
        out.end_transaction();
    }
    static result<std::vector<lane_limit>> read(const answers& in) {
        return rows_of<lane_limit>(in, in[in.size() - 1], [](row_view row) {
            return lane_limit{.entrypoint = std::string{row.cell(0)},
                              .limit = {.kind = static_cast<limit_kind>(row.letter(1, 'c')),
                                        .number = row.number<std::int16_t>(2),
                                        .amount = row.number<std::int32_t>(3),
                                        .per = std::chrono::microseconds{row.number<std::int64_t>(4)},
                                        .burst = row.number<std::int32_t>(5)}};
        });
    }

private:
    std::string_view queue_;
    std::span<const lane_limit> declared_;
};

/// Changes a limit that exists. False when there is none.
class change_limit {
public:
    change_limit(std::string_view queue, const lane_limit& limit) : queue_{queue}, limit_{&limit} {}

    void compose(batch& out, const session_info&) const {
        statement::bind_limit(out.add(statement::change_limit).text(queue_), *limit_);
        out.end_transaction();
    }
    result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        touched_ = lanes_in(in[0], 0);
        return !touched_.empty();
    }
    wake_list wakes() const { return {.lanes = touched_}; }

private:
    std::string_view queue_;
    const lane_limit* limit_;
    std::vector<lane_id> touched_{};
};

}  // namespace pgq::driver::pq::command::admin
