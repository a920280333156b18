#pragma once

#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/error/result.hpp>
#include <pgq/schema/generated.hpp>
#include <pgq/statement/query.hpp>

#include <cstdint>
#include <string>

/// What the handshake tells about the tables.
namespace pgq::driver::pq {

/// The error of a failed handshake. Where the tables are missing it says so, in place of the server's words.
inline error_info explained(error_info e, const connection_options& o) {
    if (e.code != make_sqlstate("42P01") && e.code != make_sqlstate("3F000")) return e;
    e.code = make_error_code(errc::schema_missing);
    e.message = "there are no pgq tables in schema " + statement::quoted(o.schema);
    e.hint = "call install() on the queue or its driver once, or name the right schema";
    return e;
}

inline result<void> check_version(std::int32_t found, const connection_options& o) {
    if (found == schema::version) return {};
    const std::string both = "schema " + statement::quoted(o.schema) + " has version " + std::to_string(found) +
                             ", this program knows " + std::to_string(schema::version);
    if (found > schema::version)
        return error_info{errc::schema_newer, both, "update this program, or point it at its own schema"};
    return error_info{errc::schema_older, both, "call install(): it runs the migrations that are missing"};
}

}  // namespace pgq::driver::pq
