#pragma once

#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace pgq::driver {

/// Whether workers may keep state in their database session: LISTEN, advisory locks, prepared statements.
enum class session_state : std::uint8_t {
    detect,  ///< ask the server at connect; a pooler in between is found out
    keep,
    none,  ///< poll only
};

/// How to reach PostgreSQL and how to treat it. What is not in `conninfo` comes from the environment (PGHOST, PGSERVICE, ...)
/// as with every libpq program.
struct connection_options {
    std::string conninfo{};              ///< "host=... dbname=..." or a postgresql:// URI; several hosts are fine
    std::string schema = "pgq_jobs";     ///< where the tables are
    bool strict = false;                 ///< claims and acknowledgements wait for the disk, too
    session_state state = session_state::detect;
    duration response_timeout = std::chrono::seconds{30};  ///< a server silent for so long is gone
    std::size_t max_payload = std::size_t{16} << 20;       ///< bytes of one serialized job
};

}  // namespace pgq::driver
