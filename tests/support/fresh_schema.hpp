#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/query.hpp>

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

/// The connection string of the server that tests/run.sh started or the user named (PGQ_DSN).
inline std::string dsn() {
    const char* named = std::getenv("PGQ_DSN");
    if (named == nullptr) throw std::runtime_error{"PGQ_DSN is not set: run the tests with tests/run.sh"};
    return named;
}

/// Schema names that no other test of any process uses. When the program ends, the schemas are dropped.
class fresh_schemas {
public:
    static std::string next() {
        static fresh_schemas all;
        all.names_.push_back("t_" + std::to_string(::getpid()) + "_" + std::to_string(all.names_.size()));
        return all.names_.back();
    }

private:
    ~fresh_schemas() {
        if (std::getenv("PGQ_DSN") == nullptr) return;
        const pgq::driver::pq::connection_ptr c{PQconnectdb(dsn().c_str())};
        PQsetNoticeProcessor(
            c.get(), [](void*, const char*) {}, nullptr);
        for (const auto& name : names_) {
            const std::string sql = "DROP SCHEMA IF EXISTS " + pgq::statement::quoted(name) + " CASCADE";
            PQclear(PQexec(c.get(), sql.c_str()));
        }
    }

    std::vector<std::string> names_;
};

}  // namespace test
