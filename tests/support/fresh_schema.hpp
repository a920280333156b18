#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/query.hpp>

#include <unistd.h>

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace test {

/// Where the server is: what tests/run.sh started, or what the user named.
inline std::string dsn() {
    const char* named = std::getenv("PGQ_DSN");
    if (named == nullptr) throw std::runtime_error{"PGQ_DSN is not set: run the tests with tests/run.sh"};
    return named;
}

/// Names that no other test uses, in no other process; their schemas are dropped when the program ends.
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
