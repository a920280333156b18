#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <libpq-fe.h>

#include <cstddef>
#include <string_view>
#include <utility>

namespace pgq::driver::pq {

namespace detail {

/// Calls `f(text, count, types, values, lengths, formats, format of the result)`, the arguments of PQexecParams and
/// PQsendQueryParams behind the connection.
template <class F>
auto with_arguments(const step& s, std::string_view schema, F f) {
    const auto text = statement::render(s.query->text, schema);
    const char* values[statement::params::max_count];
    int lengths[statement::params::max_count];
    int formats[statement::params::max_count];
    for (std::size_t i = 0; i < s.params.size(); ++i) {
        values[i] = s.params.value(i);
        lengths[i] = s.params.length(i);
        formats[i] = 1;
    }
    return f(text.c_str(), static_cast<int>(s.params.size()), s.params.types(), values, lengths, formats, 1);
}

}  // namespace detail

/// Stores the answer to a statement, or its error. Null: libpq has refused the call, or the connection broke.
inline void read_executed(PGconn* c, step& s, result_ptr answer) {
    s.reply = std::move(answer);
    const auto status = PQresultStatus(s.reply.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return s.error.reset();
    s.error =
        PQstatus(c) != CONNECTION_OK ? connection_error(c, s.query->name) : server_error(s.reply.get(), s.query->name);
}

/// Runs one statement on a connection that is not in pipeline mode, blocking. The step has the answer or the error
/// then.
inline void execute(PGconn* c, step& s, std::string_view schema) {
    const auto run = [c](const auto&... all) { return PQexecParams(c, all...); };
    read_executed(c, s, result_ptr{detail::with_arguments(s, schema, run)});
}

/// Sends it only. 1 if that succeeded, as PQsendQueryParams.
inline int send_execute(PGconn* c, const step& s, std::string_view schema) {
    return detail::with_arguments(s, schema, [c](const auto&... all) { return PQsendQueryParams(c, all...); });
}

}  // namespace pgq::driver::pq
