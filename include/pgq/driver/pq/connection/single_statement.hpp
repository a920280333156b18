#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/pipeline.hpp>
#include <pgq/error/result.hpp>

#include <libpq-fe.h>

#include <utility>

namespace pgq::driver::pq {

/// The answer to one statement that was sent on a connection in non-blocking mode, but not in pipeline mode. As PQexec
/// does, it keeps the last result.
class single_statement {
public:
    /// Never blocks: returns what to wait for, and `need::nothing` when the answer is there. An error is an error of
    /// the connection.
    result<need> advance(PGconn* c, const char* name) {
        if (flushing_) {
            const int left = PQflush(c);
            if (left < 0) return connection_error(c, name);
            flushing_ = left == 1;
        }
        for (;;) {
            if (PQisBusy(c) != 0 && PQconsumeInput(c) == 0) return connection_error(c, name);
            if (PQisBusy(c) != 0) return flushing_ ? need::read_and_write : need::read;
            result_ptr next{PQgetResult(c)};
            if (!next) return PQstatus(c) == CONNECTION_OK ? result<need>{need::nothing} : connection_error(c, name);
            last_ = std::move(next);
            if (is_copy()) return need::nothing;  // libpq would repeat it without end
        }
    }
    result_ptr take() noexcept { return std::move(last_); }

private:
    bool is_copy() const noexcept {
        const auto status = PQresultStatus(last_.get());
        return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
    }

    bool flushing_ = true;
    result_ptr last_{};
};

}  // namespace pgq::driver::pq
