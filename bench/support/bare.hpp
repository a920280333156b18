#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/params.hpp>
#include <pgq/statement/query.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// libpq with nothing around it: what the ceilings run on. Every error throws std::runtime_error.
class bare {
public:
    explicit bare(const std::string& dsn);

    /// Any number of statements, as text.
    void run(const std::string& sql);
    /// The first cell of the answer, as a number.
    double number(const std::string& sql);

    /// From here on only the members below.
    void enter_pipeline();
    void prepare(const pgq::statement::query& q, const pgq::statement::params& p, const std::string& schema);
    void send(const pgq::statement::query& q, const pgq::statement::params& p);
    void sync();
    /// The answer to the next statement, and behind the last one of a transaction its sync.
    pgq::driver::pq::result_ptr answer();
    void synced();

    /// All of a COPY's data in one call.
    void copy(const std::string& sql, std::string_view data);

    PGconn* get() const noexcept { return connection_.get(); }

private:
    [[noreturn]] void fail(const char* what) const;
    pgq::driver::pq::connection_ptr connection_;
};

}  // namespace bench
