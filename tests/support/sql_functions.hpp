#pragma once

#include <pgq/sql_functions.hpp>

#include <support/database.hpp>

#include <string>
#include <string_view>

namespace test {

/// The SQL functions of a queue in the database of this test.
template <class Queue>
std::string surface_of(const database& db, pgq::sql_options options = {}) {
    options.jobs_schema = db.schema();
    return pgq::sql_functions<Queue>(options).value();
}

/// Runs a script unchanged, in one transaction.
inline void run_script(const sql_connection& c, const std::string& script) {
    const pgq::driver::pq::result_ptr r{PQexec(c.get(), script.c_str())};
    if (PQresultStatus(r.get()) != PGRES_COMMAND_OK && PQresultStatus(r.get()) != PGRES_TUPLES_OK)
        throw std::runtime_error{PQerrorMessage(c.get())};
}

template <class Queue>
void emit(const database& db, pgq::sql_options options = {}) {
    run_script(db.sql(), surface_of<Queue>(db, std::move(options)));
}

/// The error of a statement as "SQLSTATE message (hint)"; empty if the statement succeeds.
inline std::string refusal(const sql_connection& c, std::string_view sql) {
    const auto text = c.rendered(sql);
    const pgq::driver::pq::result_ptr r{PQexec(c.get(), text.c_str())};
    if (PQresultStatus(r.get()) == PGRES_COMMAND_OK || PQresultStatus(r.get()) == PGRES_TUPLES_OK) return {};
    const auto field = [&](int code) {
        const char* found = PQresultErrorField(r.get(), code);
        return std::string{found == nullptr ? "" : found};
    };
    return field(PG_DIAG_SQLSTATE) + " " + field(PG_DIAG_MESSAGE_PRIMARY) + " (" + field(PG_DIAG_MESSAGE_HINT) + ")";
}

}  // namespace test
