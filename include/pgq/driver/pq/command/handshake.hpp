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
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>

namespace pgq::driver::pq {

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

/// Whether a session behind a pooler is this connection's own. Nobody can ask a pooler for that, so it is tried: the
/// session of a second transaction must be the same one. A second connection must get another one, and see that nobody
/// has used the first meanwhile.
///
///     compose(batch), read(answers):                  on the connection
///     compose_beside(batch), read_beside(answers):    on another connection
///
/// A pooler hands out the session that was used last, or the one that was not used for the longest time: the second
/// connection or the second transaction shows it. If neither can see it, the session counts as shared.
class own_session_check {
public:
    explicit own_session_check(std::int32_t backend) : backend_{backend} {}

    static void compose(batch& out) {
        for (int i = 0; i < 2; ++i) {
            out.add(statement::which_session);
            out.end_transaction();
        }
    }
    bool read(const answers& in) {
        if (in.first_error()) return false;
        for (std::size_t i = 0; i < in.size(); ++i)
            if (in[i].rows() != 1 || in[i][0].number<std::int32_t>(0) != backend_) return false;
        used_at_ = in[in.size() - 1][0].time(1);
        return true;
    }

    void compose_beside(batch& out) const {
        out.add(statement::last_use_of_session).number(backend_);
        out.end_transaction();
    }
    bool read_beside(const answers& in) const {
        if (in.first_error() || in[0].rows() != 1 || in[0][0].null(1)) return false;
        return in[0][0].number<std::int32_t>(0) != backend_ && in[0][0].time(1) == used_at_;
    }

private:
    std::int32_t backend_;
    time_point used_at_{};
};

}  // namespace command
}  // namespace pgq::driver::pq
