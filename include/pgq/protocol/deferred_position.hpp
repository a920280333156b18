#pragma once

#include <pgq/time/clock.hpp>

namespace pgq {

/// Where a promotion or a peek begins to read, in the order of time: behind the cursors if the database's clock is in
/// [valid_from, scan_at), otherwise at the start. If both are equal, always at the start. See fsm::deferred_cursor.
struct deferred_position {
    time_point run_at{};      ///< for deferred jobs
    time_point expires_at{};  ///< for the expiry of tracked jobs
    time_point valid_from{};
    time_point scan_at{};
};

/// What a peek has found. All times are of the database's clock.
struct deferred_peek {
    time_point now{};
    time_point run_at{};      ///< of the first deferred job, `now` at most
    time_point expires_at{};  ///< of the first tracked job that expires, `now` at most
    duration took{};          ///< how long the search took
    bool scanned = true;      ///< it began at the start
};

}  // namespace pgq
