#pragma once

#include <pgq/fsm/deferred_cursor.hpp>

#include <cstddef>
#include <cstdint>

namespace pgq::driver::pq {

/// When a command wakes workers for the jobs that it has made claimable.
enum class wake_timing : std::uint8_t {
    behind_commit,  ///< by a transaction of its own, right after the command's
    with_commit,    ///< by the caller's transaction: its commit delivers the notifications
    later,          ///< the session's own transaction is open: the session remembers the lanes until it commits
};

/// What a command has to know about the channel that it goes through. The channel fills it in; a command reads it when
/// it composes its statements, and may write down what it has learned from the answers.
struct session_info {
    std::int32_t schema_id = 0;   ///< the schema's oid: the space of its advisory locks, the name of its channels
    std::int32_t backend = 0;     ///< the server process of this session, where nobody else is given it; or 0
    std::size_t max_payload = 0;  ///< bytes of one serialized job
    bool keeps_state = false;     ///< what is set in the session is still set in its next transaction
    bool listens = false;         ///< the session is a worker's and gets its notifications
    std::int32_t listener = 0;    ///< the server process of the session that gets them instead of this one; or 0
    bool in_transaction = false;  ///< a transaction is open that the command does not end
    bool packs = false;           ///< an enqueue may put several jobs into one row
    bool reads_committed = true;  ///< a statement outside of a transaction runs at READ COMMITTED
    wake_timing wakes = wake_timing::behind_commit;

    fsm::deferred_cursor deferred{};  ///< where promotions and peeks begin
    bool expects_packs = false;       ///< the latest look for packs has found some
    bool listens_for_ends = false;    ///< the session gets the notifications about jobs that have ended
};

}  // namespace pgq::driver::pq
