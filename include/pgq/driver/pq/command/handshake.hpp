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

/// Whether a session behind a pooler is this connection's own. Nobody can ask a pooler for that, so it is tried, by
/// this connection and another one in turn. Each must have the same session in all rounds, and see that nobody has used
/// that of the other one meanwhile.
///
///     compose(batch), read(answers):                  on the connection, as long as asks_again()
///     compose_beside(batch), read_beside(answers):    then on another connection; the same again until is_proven()
///
/// A pooler hands out the session that was used last, or the one that was not used for the longest time. Then the
/// second connection or the second transaction gets a wrong one (they are round trips of their own, because a pooler
/// gives one session to what comes together), unless a third one has taken or given back a session
/// at this moment. By chance that may happen once. But to get its former session again in the next round, somebody must
/// have taken the one that was used last, and that is seen. If it cannot be seen, the session counts as shared.
class own_session_check {
public:
    explicit own_session_check(std::int32_t backend) : mine_{backend} {}

    void compose(batch& out) const {
        if (rounds_ != 0) out.add(statement::last_use_of_session).number(other_);
        add_which(out);
    }
    bool asks_again() const noexcept { return asks_again_; }
    bool read(const answers& in) {
        asks_again_ = !asks_again_;
        if (rounds_ != 0 && !is_untouched(in, other_used_at_)) return false;
        return is_still(in, mine_, mine_used_at_);
    }

    void compose_beside(batch& out) const {
        out.add(statement::last_use_of_session).number(mine_);
        add_which(out);
    }
    bool read_beside(const answers& in) {
        if (!is_untouched(in, mine_used_at_)) return false;
        if (rounds_ == 0) other_ = in[0][0].number<std::int32_t>(0);
        ++rounds_;
        return other_ != mine_ && is_still(in, other_, other_used_at_);
    }
    bool is_proven() const noexcept { return rounds_ == enough; }

private:
    static constexpr int enough = 5;

    static void add_which(batch& out) {
        out.add(statement::which_session);
        out.end_transaction();
    }
    static bool is_untouched(const answers& in, time_point since) {
        return !in.first_error() && in[0].rows() == 1 && !in[0][0].null(1) && in[0][0].time(1) == since;
    }
    // All statements must have had this session. Returns the time of the last.
    static bool is_still(const answers& in, std::int32_t backend, time_point& used_at) {
        if (in.first_error()) return false;
        for (std::size_t i = 0; i < in.size(); ++i)
            if (in[i].rows() != 1 || in[i][0].number<std::int32_t>(0) != backend) return false;
        used_at = in[in.size() - 1][0].time(1);
        return true;
    }

    std::int32_t mine_;
    std::int32_t other_ = 0;
    time_point mine_used_at_{};
    time_point other_used_at_{};
    int rounds_ = 0;
    bool asks_again_ = false;
};

}  // namespace command
}  // namespace pgq::driver::pq
