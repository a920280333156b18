#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/doctor/examination.hpp>
#include <pgq/statement/admin/doctor.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Commands that examine an installation; see concept/admin.hpp.
namespace pgq::driver::pq::command::admin {

/// Begins a transaction that only reads; its statements end after `limit`.
inline void begin_examination(batch& out, const session_info& info, duration limit) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
    out.add(statement::begin_examination).text(std::to_string(ms)).boolean(info.in_transaction);
}
inline void end_examination(batch& out) {
    out.add(statement::end_examination);
    out.end_transaction();
}

class examine_objects {
public:
    explicit examine_objects(duration limit) : limit_{limit} {}

    void compose(batch& out, const session_info& info) const {
        begin_examination(out, info, limit_);
        out.add(statement::find_objects);
        end_examination(out);
    }
    static result<std::vector<catalog_object>> read(const answers& in) {
        return rows_of<catalog_object>(in, in[1], [](row_view row) {
            return catalog_object{.kind = static_cast<object_kind>(row.letter(0, '?')),
                                  .table = std::string{row.cell(1)},
                                  .name = std::string{row.cell(2)},
                                  .definition = std::string{row.cell(3)},
                                  .traits = std::string{row.cell(4)},
                                  .fine = row.flag(5),
                                  .body = std::string{row.cell(6)},
                                  .is_owned = row.flag(7),
                                  .is_public = row.flag(8)};
        });
    }

private:
    duration limit_;
};

class examine_conditions {
public:
    explicit examine_conditions(const examination& e) : examination_{e} {}

    void compose(batch& out, const session_info& info) const {
        begin_examination(out, info, examination_.limit);
        if (examination_.part == condition_part::server) {
            out.add(statement::find_server_conditions)
                .number(micros(examination_.old_snapshot))
                .number(examination_.dead_rows);
            out.add(statement::find_role_conditions)
                .text(examination_.owner)
                .text(examination_.producer)
                .text(examination_.worker)
                .text(examination_.operators)
                .text(examination_.reader);
        } else {
            out.add(statement::find_job_conditions)
                .number(examination_.most)
                .number(micros(examination_.late))
                .number(micros(examination_.long_pause));
        }
        end_examination(out);
    }
    static result<std::vector<found_condition>> read(const answers& in) {
        if (auto e = in.first_error()) return std::move(*e);
        std::vector<found_condition> found;
        for (std::size_t i = 1; i + 1 < in.size(); ++i)
            for (int row = 0; row < in[i].rows(); ++row) found.push_back(read_row(in[i][row]));
        return found;
    }

private:
    static found_condition read_row(row_view row) {
        return {.code = std::string{row.cell(0)},
                .name = std::string{row.cell(1)},
                .detail = std::string{row.cell(2)},
                .count = row.number<std::int64_t>(3),
                .age = row.micros(4)};
    }
    static std::int64_t micros(duration d) noexcept {
        return std::chrono::duration_cast<std::chrono::microseconds>(d).count();
    }

    examination examination_;
};

}  // namespace pgq::driver::pq::command::admin
