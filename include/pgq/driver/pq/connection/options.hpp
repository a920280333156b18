#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace pgq::driver {

/// Whether workers may keep state in their database session: LISTEN, advisory locks, prepared statements.
enum class session_state : std::uint8_t {
    detect,  ///< yes, unless there is a pooler; then workers try whether the session is their own
    keep,    ///< the same for clients; connecting fails where a pooler shares the session
    none,    ///< no: every session is taken for shared
};

/// A statement on its way to the server. What it looks at is gone when the hook returns.
struct sent_statement {
    std::string_view name{};  ///< ours, e.g. "claim_one"
    std::string_view text{};  ///< the SQL, with $1, $2 ... for the parameters
    std::span<const std::string_view>
        parameters{};  ///< in PostgreSQL's binary format, payloads among them; null ones are without data
    const unsigned int* types = nullptr;  ///< the oid of the type of each
};

/// How to reach PostgreSQL and how to treat it. What is not in `conninfo` comes from the environment (PGHOST,
/// PGSERVICE, ...) as with every libpq program.
struct connection_options {
    std::string conninfo{};           ///< "host=... dbname=..." or a postgresql:// URI; several hosts are fine
    std::string listen_conninfo{};    ///< the same past the pooler, for LISTEN alone; see docs/guides/poolers.md
    std::string schema = "pgq_jobs";  ///< where the tables are
    bool strict = false;              ///< claims and acknowledgements wait for the disk, too
    session_state state = session_state::detect;
    duration response_timeout = std::chrono::seconds{30};  ///< a server silent for so long is gone
    duration statement_timeout{};  ///< the server ends a statement of a session that takes longer; zero: it does not
    duration exec_timeout{};       ///< for a statement of yours, tx.exec(); zero: the same as response_timeout
    std::size_t max_payload = std::size_t{16} << 20;  ///< bytes of one serialized job
    /// Called with each statement before it is sent, by the thread that sends it, on whichever connection; for tracing,
    /// and for explaining samples on your own connection. It must not throw. Enqueueing by COPY is not a
    /// statement with parameters and is not seen.
    std::function<void(const sent_statement&)> on_statement{};
};

namespace pq {

/// The server would cut a longer name off, and so find another schema.
inline result<void> check_schema(const std::string& name) {
    if (!name.empty() && name.size() <= 63 && pgq::detail::is_storable_text(name)) return {};
    return error_info{errc::invalid_name, "a schema's name is UTF-8 text of 1 to 63 bytes",
                      "give the driver another `schema`"};
}

}  // namespace pq
}  // namespace pgq::driver
