#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/statement/wake.hpp>

#include <span>
#include <utility>
#include <vector>

namespace pgq::driver::pq::command {

/// Which lanes need a wake when the transaction of a command is committed.
struct wake_list {
    std::vector<lane_id> lanes{};
    bool noted =
        false;  ///< also the lanes that statements of this session have collected in the setting `pgq.wake_lanes`

    bool empty() const noexcept { return lanes.empty() && !noted; }
    void add(const wake_list& more) {
        lanes.insert(lanes.end(), more.lanes.begin(), more.lanes.end());
        noted = noted || more.noted;
    }
};

/// Wakes sleeping workers that serve these lanes. Nobody reads its answer: a sleeping worker that is not woken claims
/// after its poll interval.
class wake {
public:
    explicit wake(wake_list whom) : whom_{std::move(whom)} {}

    void compose(batch& out, const session_info& info) const {
        if (info.wakes == wake_timing::with_commit) {
            notify_all(out, info, whom_.lanes);
            if (whom_.noted) notify_noted(out, info);
            if (!out.empty()) out.end_transaction();
            return;
        }
        if (!whom_.lanes.empty()) wake_one_each(out, info, whom_.lanes);
        if (!whom_.noted || !info.keeps_state) return;
        out.await_no_more();
        out.add(statement::wake_collected).number(info.schema_id);
        out.end_transaction();
    }
    static result<void> read(const answers&) { return {}; }

    /// Wakes one sleeper of each lane, in a transaction of its own. Nobody waits for the answer.
    static void wake_one_each(batch& out, const session_info& info, std::span<const lane_id> lanes) {
        out.await_no_more();
        bind_lanes(out.add(statement::wake).number(info.schema_id), lanes);
        out.end_transaction();
    }
    /// Wakes all sleepers of each lane, when the transaction is committed.
    static void notify_all(batch& out, const session_info& info, std::span<const lane_id> lanes) {
        for (const lane_id lane : lanes) out.add(statement::wake_all).number(info.schema_id).number(lane.value);
    }
    /// The same for the lanes that statements of this session have noted.
    static void notify_noted(batch& out, const session_info& info) {
        out.add(statement::wake_all_collected).number(info.schema_id);
    }

private:
    wake_list whom_;
};

/// Ends the transaction of statements that may have noted lanes to wake. A session without state forgets them with the
/// transaction. There the commit itself notifies the workers of these lanes.
inline void end_and_notify_noted(batch& out, const session_info& info) {
    if (!info.keeps_state && info.wakes != wake_timing::with_commit) wake::notify_noted(out, info);
    out.end_transaction();
}

/// Ends the transaction of the statements that were composed last, and wakes sleepers of these lanes for it, in the
/// same round trip. `wake_timing::later` composes no wake: the command reports the lanes by its `wakes()` then.
inline void end_and_wake(batch& out, const session_info& info, std::span<const lane_id> lanes) {
    if (info.wakes == wake_timing::with_commit) wake::notify_all(out, info, lanes);
    out.end_transaction();
    if (info.wakes == wake_timing::behind_commit) wake::wake_one_each(out, info, lanes);
}

}  // namespace pgq::driver::pq::command
