#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <libpq-fe.h>

#include <cstddef>
#include <string_view>

namespace pgq::driver::pq {

/// Runs one statement on a connection that is not in pipeline mode, blocking. The step has the answer or the error
/// then.
inline void execute(PGconn* c, step& s, std::string_view schema) {
    const auto text = statement::render(s.query->text, schema);
    const char* values[statement::params::max_count];
    int lengths[statement::params::max_count];
    int formats[statement::params::max_count];
    for (std::size_t i = 0; i < s.params.size(); ++i) {
        values[i] = s.params.value(i);
        lengths[i] = s.params.length(i);
        formats[i] = 1;
    }
    s.reply.reset(PQexecParams(c, text.c_str(), static_cast<int>(s.params.size()), s.params.types(), values, lengths,
                               formats, 1));
    const auto status = PQresultStatus(s.reply.get());
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return s.error.reset();
    s.error =
        PQstatus(c) != CONNECTION_OK ? connection_error(c, s.query->name) : server_error(s.reply.get(), s.query->name);
}

}  // namespace pgq::driver::pq
