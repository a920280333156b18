#pragma once

#include <pgq/driver/pq/connection/session_settings.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/pack.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/settle.hpp>
#include <pgq/statement/wake.hpp>

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

/// Makes sql/0009_stored_statements.sql: the statements of a worker as functions, see `statement::unprepared_text`.
namespace pgq::tools {

struct stored_statement {
    const statement::query* statement;
    std::string_view parameters;  ///< their types, in the order of the numbers
    std::string_view columns;     ///< the types of the answer
    /// Whether it runs with the search path of the schema. Then it cannot change the search path.
    bool own_path = true;
};

namespace detail {

#define PGQ_LEASE_COLUMNS \
    "int8, tid, int4, int8[], int8[], int2[], bytea[], text[], int2[], timestamptz[], int8[], timestamptz"
inline constexpr std::string_view claimed = PGQ_LEASE_COLUMNS ", bool, int4";
inline constexpr std::string_view claimed_packed = PGQ_LEASE_COLUMNS ", bool, int4, bool";
#undef PGQ_LEASE_COLUMNS
inline constexpr std::string_view many_lanes = "int4[], int8[], int8[], int8, int8, int2[], int8";
inline constexpr std::string_view many_lanes_each = "int4[], int8[], int8[], int8, int8, int2[], int2[], int8";

}  // namespace detail

inline constexpr std::array stored_statements{
    stored_statement{&driver::pq::make_transaction_settings, "int4, bool, text", "int4", false},
    stored_statement{&driver::pq::pin_plans_of_transaction, "text, bool", "text, text, text, text, text, text"},
    stored_statement{&statement::wake, "int4, int4[]", "int8"},
    stored_statement{&statement::wake_all_collected, "int4", "int8"},
    stored_statement{&statement::finish, "tid[], int8[], int8", "int8[], int8"},
    stored_statement{&statement::mark, "tid, int8, int8, bytea, bytea", "int8, tid"},
    stored_statement{&statement::mark_flagged, "tid, int8, int8, bytea, bytea", "int8, tid"},
    stored_statement{&statement::settle, R"(tid, int8, int8, bytea, bytea, int8[], "char"[], int8[], text[])",
                     "int8, tid, text"},
    stored_statement{&statement::settle_flagged,
                     R"(tid, int8, int8, bytea, bytea, int8[], "char"[], int8[], text[], bytea[])",
                     "int8, tid, text, int8"},
    stored_statement{
        &statement::settle_ends,
        R"(tid[], int8[], int8, int8[], int4[], bool[], int4[], "char"[], int8[], text[], bytea[], bytea[])",
        "int8[], text, int8"},
    stored_statement{&statement::promote, "int8, int8, int8, int8", "int8, text, int8, int4[], int8[], int8[]"},
    stored_statement{&statement::unpack, "int4[], int8, bool", "int8"},
    stored_statement{&statement::take_claim_slot, "int4", "text"},
    stored_statement{&statement::claim_one, "int4, int8, int8, int8, int8, int2, int8", detail::claimed},
    stored_statement{&statement::claim_few, "int4, int8, int8, int8, int8, int2", detail::claimed},
    stored_statement{&statement::claim_in_slot, "int4, int8, int8, int8, int8, int2, bool, int8", detail::claimed},
    stored_statement{&statement::claim_packed, "int4, int8, int8, int8, int8, int2, int8", detail::claimed_packed},
    stored_statement{&statement::claim_many, detail::many_lanes, detail::claimed},
    stored_statement{&statement::claim_wide, detail::many_lanes, detail::claimed},
    stored_statement{&statement::claim_each, detail::many_lanes_each, detail::claimed},
    stored_statement{&statement::claim_wide_each, detail::many_lanes_each, detail::claimed},
    stored_statement{&statement::peek_next_due, "int8, int8, int8, int8",
                     "int8, int8, timestamptz, timestamptz, timestamptz, int8, bool"},
};

namespace detail {

inline std::string replaced(std::string text, std::string_view what, std::string_view by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

/// "c1 int8, c2 text" of "int8, text". No statement uses these names.
inline std::string named(std::string_view types) {
    std::string out;
    for (std::size_t at = 0, n = 1; at != std::string_view::npos; ++n) {
        const std::size_t comma = types.find(", ", at);
        out += (n == 1 ? "c" : ", c") + std::to_string(n) + ' ' + std::string{types.substr(at, comma - at)};
        at = comma == std::string_view::npos ? comma : comma + 2;
    }
    return out;
}

}  // namespace detail

/// The tables that the statements name.
inline constexpr std::array tables{"ready",  "deferred", "pack",       "lease",  "lane",
                                   "worker", "tracked",  "claim_slot", "failure"};

/// Throws when a common table expression has the name of a table: without its schema, the table could not be meant.
inline void check(const stored_statement& s) {
    const std::string name = s.statement->name;
    if (!s.statement->stored) throw std::logic_error{name + " is not as_stored()"};
    for (const std::string table : tables)
        for (const char* const begin : {" AS (", " AS MATERIALIZED ("})
            if (s.statement->text.find("\n" + table + begin) != std::string_view::npos)
                throw std::logic_error{name + " has a common table expression with the name of the table " + table};
}

/// The statement that creates the function. Its text names no schema: psql replaces nothing in it.
inline std::string create_function(const stored_statement& s) {
    check(s);
    // Names have the search path of the function, so the schema in front of them goes.
    auto text = detail::replaced(std::string{s.statement->text}, "'{q}.", "'");
    text = detail::replaced(statement::render(text, ""), "\"\".", "");
    std::string out = "\nCREATE FUNCTION :\"schema\".stored_" + std::string{s.statement->name} + "(" +
                      std::string{s.parameters} + ")\nRETURNS TABLE (" + detail::named(s.columns) +
                      ")\nLANGUAGE plpgsql VOLATILE";
    if (s.own_path) out += " SET search_path = :\"schema\", pg_catalog, pg_temp";
    return out + " AS $$\nBEGIN\n    RETURN QUERY " + text.substr(text.find_first_not_of('\n')) + ";\nEND $$;\n";
}

/// The whole file.
inline std::string stored_statements_sql() {
    std::string out =
        "-- The statements of a worker as functions, for sessions that cannot prepare statements.\n"
        "-- Written by tools/scripts/generate_stored_statements.sh from include/pgq/statement/: change those.\n";
    std::string names;
    for (const auto& s : stored_statements) {
        out += create_function(s);
        names += std::string{names.empty() ? "" : ",\n    "} + ":\"schema\".stored_" + s.statement->name;
    }
    return out + "\nREVOKE ALL ON FUNCTION " + names + "\n    FROM PUBLIC;\n";
}

}  // namespace pgq::tools
