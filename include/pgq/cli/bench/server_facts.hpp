#pragma once

#include <pgq/cli/plain_connection.hpp>

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <string>

namespace pgq::cli::bench {

/// What explains the numbers of a server.
struct server_facts {
    std::string version{};
    std::string synchronous_commit{};
    std::string fsync{};
    bool is_read_only = false;
    bool may_create_schema = false;
    std::string database{};  ///< quoted
    std::string role{};      ///< quoted
    duration round_trip{};   ///< the median of some

    double round_trip_ms() const { return std::chrono::duration<double, std::milli>(round_trip).count(); }
};

inline duration median_round_trip(plain_connection& db) {
    std::array<duration, 21> took{};
    for (duration& d : took) {
        const auto began = std::chrono::steady_clock::now();
        (void)db.read("SELECT");
        d = std::chrono::steady_clock::now() - began;
    }
    const auto middle = took.begin() + took.size() / 2;
    std::nth_element(took.begin(), middle, took.end());
    return *middle;
}

inline server_facts read_server(plain_connection& db) {
    const auto rows = db.read(R"(
        SELECT current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync'),
               pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
               has_database_privilege(current_database(), 'CREATE'), quote_ident(current_database()),
               quote_ident(current_user))");
    const auto& row = rows[0];
    return {.version = *row[0],
            .synchronous_commit = *row[1],
            .fsync = *row[2],
            .is_read_only = row[3] == "t",
            .may_create_schema = row[4] == "t",
            .database = *row[5],
            .role = *row[6],
            .round_trip = median_round_trip(db)};
}

}  // namespace pgq::cli::bench
