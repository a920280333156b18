#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/driver/pq/connection/single_statement.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>

#include <libpq-fe.h>

#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

namespace detail {

inline sql_rows read_rows(const PGresult* answer) {
    std::vector<std::string> columns;
    columns.reserve(static_cast<std::size_t>(PQnfields(answer)));
    for (int c = 0; c < PQnfields(answer); ++c) columns.emplace_back(PQfname(answer, c));
    std::vector<sql_rows::cell> cells;
    for (int row = 0; row < PQntuples(answer); ++row)
        for (int c = 0; c < PQnfields(answer); ++c) {
            if (PQgetisnull(answer, row, c) != 0) cells.emplace_back();
            else cells.emplace_back(std::string{PQgetvalue(answer, row, c)});
        }
    return {std::move(columns), std::move(cells), std::atoll(PQcmdTuples(const_cast<PGresult*>(answer)))};
}

inline result<sql_rows> read_text_answer(PGconn* c, const PGresult* answer) {
    const auto status = PQresultStatus(answer);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        return read_rows(answer);
    if (PQstatus(c) != CONNECTION_OK) return connection_error(c, "exec");
    if (status == PGRES_FATAL_ERROR) return server_error(answer, "exec");
    // COPY has begun: there is no way out but to hang up.
    return error_info{errc::connection_lost, "exec does not do COPY", "use a connection of your own for that"};
}

}  // namespace detail

/// The parameters of a statement of the user's, in text format.
inline result<std::vector<const char*>> text_values(std::span<const std::optional<std::string>> parameters) {
    std::vector<const char*> values;
    for (const auto& p : parameters) {
        if (p && !pgq::detail::is_storable_text(*p))
            return error_info{errc::invalid_text, "a parameter holds a zero byte or bytes that are not UTF-8"};
        values.push_back(p ? p->c_str() : nullptr);
    }
    return values;
}

/// Runs one statement of the user's, in text format, on a connection that is not in pipeline mode. It blocks without a
/// time limit.
inline result<sql_rows> run_text_query(PGconn* c, const std::string& sql,
                                       std::span<const std::optional<std::string>> parameters) {
    const auto values = text_values(parameters);
    if (!values) return values.error();
    const result_ptr answer{
        PQexecParams(c, sql.c_str(), static_cast<int>(values->size()), nullptr, values->data(), nullptr, nullptr, 0)};
    return detail::read_text_answer(c, answer.get());
}

/// The same without blocking, on a connection in non-blocking mode: begin(); advance() until it needs nothing; rows().
class text_query {
public:
    result<void> begin(PGconn* c, const std::string& sql, std::span<const std::optional<std::string>> parameters) {
        const auto values = text_values(parameters);
        if (!values) return values.error();
        const auto count = static_cast<int>(values->size());
        if (PQsendQueryParams(c, sql.c_str(), count, nullptr, values->data(), nullptr, nullptr, 0) == 1) return {};
        return connection_error(c, "exec");
    }
    result<need> advance(PGconn* c) { return answer_.advance(c, "exec"); }
    result<sql_rows> rows(PGconn* c) { return detail::read_text_answer(c, answer_.take().get()); }

private:
    single_statement answer_{};
};

}  // namespace pgq::driver::pq
