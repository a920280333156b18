#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/session/caller_transaction.hpp>
#include <pgq/driver/pq/session/installer.hpp>
#include <pgq/driver/pq/session/session.hpp>
#include <pgq/time/call_limit.hpp>

#include <concepts>
#include <string>
#include <utility>

namespace pgq::driver {

/// PostgreSQL through libpq, blocking: each session is one connection, each verb one round trip.
///
/// `libpq{}` reaches whatever PGHOST, PGDATABASE, PGSERVICE and the rest of libpq's environment say, `libpq{"..."}`
/// adds a connection string. Copying it copies the settings; connections belong to the sessions.
class libpq {
public:
    using policy_category = driver_tag;
    using session = pq::session;

    libpq() = default;
    // A template, so that `libpq{{.conninfo = ...}}` can only mean the options.
    template <std::convertible_to<std::string> Text>
    explicit libpq(const Text& conninfo) {
        options_.conninfo = conninfo;
    }
    explicit libpq(connection_options options) : options_{std::move(options)} {}

    /// Fails with errc::schema_missing, schema_older or schema_newer when the tables are not this version's.
    result<session> connect(session_role role) const { return session::open(options_, role); }
    /// The same, with a session whose calls obey `limit`, which must outlive it.
    result<session> connect(session_role role, const call_limit& limit) const {
        return session::open(options_, role, &limit);
    }

    /// Makes the tables, or runs the migrations that are missing. Needs the right to create a schema when there is
    /// none.
    result<void> install() const { return pq::install(options_); }

    const connection_options& options() const noexcept { return options_; }

private:
    connection_options options_;
};

static_assert(worker_driver<libpq> && can_schedule<libpq::session>);

}  // namespace pgq::driver
