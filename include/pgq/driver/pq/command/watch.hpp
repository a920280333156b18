#pragma once

#include <pgq/driver/pq/command/listen.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/track.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pgq::driver::pq::command {

/// Registers the session as one that waits for the ends of these jobs, and reads those that have ended.
class watch {
public:
    /// `ended` is replaced when the command succeeds.
    watch(std::span<const job_id> ids, duration keep_for, std::vector<ended_job>& ended)
        : ids_{ids}, keep_for_{keep_for}, ended_{&ended} {}

    void compose(batch& out, const session_info& info) {
        if (info.listener == 0) listen_.add_ends(out, info);
        statement::bind_watch(out.add(statement::watch), ids_, waiter(info), keep_for_);
        out.end_transaction();
    }
    result<void> read(const answers& in) const {
        if (auto e = in.first_error()) return *e;
        const step& s = in[in.size() - 1];
        ended_->clear();
        for (int i = 0; i < s.rows(); ++i) {
            const row_view row = s[i];
            ended_->push_back({.id = {row.number<std::int64_t>(0)},
                               .kind = static_cast<end_kind>(row.letter(1, '?')),
                               .attempts = row.number<std::int16_t>(2),
                               .reason = std::string{row.cell(3)},
                               .has_result = !row.null(4),
                               .result = std::string{row.cell(4)}});
        }
        return {};
    }
    static void learn(session_info& info) noexcept { info.listens_for_ends = info.listener == 0 && info.keeps_state; }

private:
    // Its channel is notified; 0 is none.
    static std::int32_t waiter(const session_info& info) noexcept {
        if (info.listener != 0) return info.listener;
        return info.keeps_state ? info.backend : 0;
    }

    std::span<const job_id> ids_;
    duration keep_for_;
    std::vector<ended_job>* ended_;
    listen listen_{};
};

}  // namespace pgq::driver::pq::command
