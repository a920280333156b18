#pragma once

#include <pgq/error/result.hpp>

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// libpq's handles as values, and its errors as ours.
namespace pgq::driver::pq {

struct close_connection {
    void operator()(PGconn* c) const noexcept { PQfinish(c); }
};
struct clear_result {
    void operator()(PGresult* r) const noexcept { PQclear(r); }
};
using connection_ptr = std::unique_ptr<PGconn, close_connection>;
using result_ptr = std::unique_ptr<PGresult, clear_result>;

/// libpq's messages have several lines and end with a line feed; ours are one line.
inline std::string trimmed(const char* text) {
    std::string out;
    for (const char* c = text == nullptr ? "" : text; *c != '\0'; ++c) {
        const bool space = *c == '\n' || *c == '\t' || *c == ' ';
        if (!space) out += *c;
        else if (!out.empty() && out.back() != ' ') out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

inline std::string field(const PGresult* r, int code) { return trimmed(PQresultErrorField(r, code)); }

/// If an error is PgBouncer's own, says so: its words do not tell who speaks, or what to change.
inline error_info explain_pooler(error_info e) {
    struct known {
        std::string_view said, message, hint;
    };
    static constexpr known all[]{
        {"query_wait_timeout", "the pooler had no free server session within its query_wait_timeout",
         "raise default_pool_size in the pooler: with pool_mode = session each connection keeps a server session, and "
         "a worker has two connections"},
        {"(max_client_conn)", "the pooler has as many clients as its max_client_conn allows",
         "raise max_client_conn in the pooler"},
        {"statement pooling mode", "a transaction is refused by the pooler, which has pool_mode = statement",
         "set pool_mode = transaction or session in the pooler"}};
    for (const known& k : all)
        if (e.message.find(k.said) != std::string::npos) e.message = k.message, e.hint = k.hint;
    return e;
}

/// The connection broke (or was never made).
inline error_info connection_error(const PGconn* c, const char* statement = "") {
    error_info e{errc::connection_lost, trimmed(PQerrorMessage(c)),
                 "check that the server runs and that the connection string, PGHOST and PGPORT name it"};
    e.statement = statement;
    return explain_pooler(std::move(e));
}

/// A connection could not be made: by the connection string's fault, or by the network's or the server's.
inline error_info refused(const PGconn* c, const std::string& conninfo, const char* statement) {
    error_info e = connection_error(c, statement);
    PQconninfoOption* parsed = PQconninfoParse(conninfo.c_str(), nullptr);
    if (parsed == nullptr && !conninfo.empty()) {
        e.code = make_error_code(errc::bad_conninfo);
        e.hint = "write it as \"host=... dbname=...\" or as postgresql://user@host/dbname";
    }
    PQconninfoFree(parsed);
    return e;
}

/// Names, headers and reasons are UTF-8 text, so the database has to be.
inline result<void> check_encoding(std::string_view encoding) {
    if (encoding == "UTF8") return {};
    return error_info{errc::invalid_option, "the database's encoding is " + std::string{encoding},
                      "use a database with encoding UTF8"};
}

/// What the server said about a statement.
inline error_info server_error(const PGresult* r, const char* statement) {
    const std::string state = field(r, PG_DIAG_SQLSTATE);
    error_info e;
    // The first three are raised by functions of ours.
    if (state == "PQ001") e.code = make_error_code(errc::duplicate_key);
    else if (state == "PQ002") e.code = make_error_code(errc::lane_full);
    else if (state == "PQ004") e.code = make_error_code(errc::draining);
    else e.code = state.size() == 5 ? make_sqlstate(state) : make_error_code(errc::connection_lost);
    e.message = field(r, PG_DIAG_MESSAGE_PRIMARY);
    if (e.message.empty()) e.message = trimmed(PQresultErrorMessage(r));
    e.detail = field(r, PG_DIAG_MESSAGE_DETAIL);
    e.hint = field(r, PG_DIAG_MESSAGE_HINT);
    e.statement = statement;
    return explain_pooler(std::move(e));
}

}  // namespace pgq::driver::pq
