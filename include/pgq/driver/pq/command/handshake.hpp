#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/schema_check.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/query.hpp>

#include <cstdint>

namespace pgq::driver::pq {

/// The settings of worker sessions: plans that do not change with the statistics, and commits that do not wait for the
/// disk, because a lost commit merely repeats a job.
inline constexpr statement::query pin_plans{"pin_plans", R"(
SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('enable_hashjoin', 'on', false), set_config('synchronous_commit', $1, false))"};

namespace command {

/// The first command of a session, behind the session's settings: whether the tables are this version's, and what the
/// session has to know.
class handshake {
public:
    explicit handshake(const connection_options& o) : options_{&o} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::handshake).text(statement::quoted(options_->schema));
        out.end_transaction();
    }
    result<void> read(const answers& in) {
        const step& last = in[in.size() - 1];
        if (last.error) return explained(*last.error, *options_);
        if (auto e = in.first_error()) return *e;
        if (last.rows() != 1) return error_info{errc::protocol, "no answer to the handshake"};
        const row_view row = last[0];
        if (auto fine = check_encoding(row.cell(3)); !fine) return fine;
        if (auto fits = check_version(row.number<std::int32_t>(0), *options_); !fits) return fits;
        schema_id_ = static_cast<std::int32_t>(row.number<std::int64_t>(1));
        backend_ = row.number<std::int32_t>(2);
        reads_committed_ = row.flag(4);
        return {};
    }
    void learn(session_info& info) const noexcept {
        info.schema_id = schema_id_;
        info.backend = backend_;
        info.reads_committed = reads_committed_;
    }

private:
    const connection_options* options_;
    std::int32_t schema_id_ = 0;
    std::int32_t backend_ = 0;
    bool reads_committed_ = true;
};

/// Makes the settings of a worker's session.
class worker_settings {
public:
    explicit worker_settings(bool strict) : strict_{strict} {}

    void compose(batch& out, const session_info&) const {
        out.add(pin_plans).text(strict_ ? "on" : "off");
        out.end_transaction();
    }
    static result<void> read(const answers& in) { return no_error(in); }

private:
    bool strict_;
};

}  // namespace command
}  // namespace pgq::driver::pq
