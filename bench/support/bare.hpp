#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// Bare libpq, for the ceilings. Every error throws std::runtime_error.
class bare {
public:
    explicit bare(const std::string& dsn);

    /// Runs one or more statements of SQL text.
    void run(const std::string& sql);
    /// Runs a statement and gives the first cell of its result, as a number.
    double number(const std::string& sql);

    /// Enters pipeline mode; run, number and copy fail afterwards.
    void enter_pipeline();
    void prepare(const pgq::statement::query& q, const pgq::statement::params& p, const std::string& schema);
    void send(const pgq::statement::query& q, const pgq::statement::params& p);
    void sync();
    /// Waits for the result of the next statement; `synced` waits for the sync after the last statement of a
    /// transaction.
    pgq::driver::pq::result_ptr answer();
    void synced();

    /// Runs a COPY FROM STDIN with all of its data.
    void copy(const std::string& sql, std::string_view data);

    PGconn* get() const noexcept { return connection_.get(); }

private:
    [[noreturn]] void fail(const char* what) const;
    pgq::driver::pq::connection_ptr connection_;
};

}  // namespace bench
