#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace quickstart {

struct close_connection {
    void operator()(PGconn* c) const noexcept { PQfinish(c); }
};
using connection = std::unique_ptr<PGconn, close_connection>;

/// The result of a statement.
class rows {
public:
    explicit rows(PGresult* r) : result_{r, &PQclear} {}

    int size() const { return PQntuples(result_.get()); }
    std::string text(int row, int column) const { return PQgetvalue(result_.get(), row, column); }
    std::int64_t number(int row, int column) const { return std::atoll(PQgetvalue(result_.get(), row, column)); }
    bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }

private:
    std::unique_ptr<PGresult, void (*)(PGresult*)> result_;
};

/// The application's own connections, separate from those of the queue. Any thread may use it.
class database {
public:
    database(std::string conninfo, std::string schema) : conninfo_{std::move(conninfo)}, schema_{std::move(schema)} {}

    /// If it ends without a commit, it closes its connection, which rolls back.
    class transaction;

    const std::string& conninfo() const noexcept { return conninfo_; }
    const std::string& schema() const noexcept { return schema_; }

private:
    connection take() {
        {
            const std::lock_guard lock{mutex_};
            if (!idle_.empty()) {
                connection c = std::move(idle_.back());
                idle_.pop_back();
                return c;
            }
        }
        connection c{PQconnectdb(conninfo_.c_str())};
        if (PQstatus(c.get()) != CONNECTION_OK) throw std::runtime_error{PQerrorMessage(c.get())};
        PQsetNoticeProcessor(
            c.get(), [](void*, const char*) {}, nullptr);
        return c;
    }
    void put_back(connection c) {
        const std::lock_guard lock{mutex_};
        idle_.push_back(std::move(c));
    }

    std::string conninfo_;
    std::string schema_;
    std::mutex mutex_;
    std::vector<connection> idle_;
};

class database::transaction {
public:
    // The commit need not wait for the disk. The queue acknowledges the job after this commit, in the same log. If the
    // acknowledgement survives a crash of the server, so does this commit; otherwise the job runs again.
    explicit transaction(database& db) : database_{&db}, connection_{db.take()} {
        run("BEGIN; SET LOCAL search_path TO " + db.schema() + "; SET LOCAL synchronous_commit = off");
    }

    rows run(const std::string& sql) { return checked(PQexec(connection_.get(), sql.c_str())); }

    /// One statement with $1, $2, ...
    rows run(const char* sql, const std::vector<std::string>& parameters) {
        std::vector<const char*> values;
        for (const auto& p : parameters) values.push_back(p.c_str());
        return checked(PQexecParams(connection_.get(), sql, static_cast<int>(values.size()), nullptr, values.data(),
                                    nullptr, nullptr, 0));
    }

    void commit() {
        run("COMMIT");
        database_->put_back(std::move(connection_));
    }

    PGconn* handle() const noexcept { return connection_.get(); }

private:
    rows checked(PGresult* r) const {
        rows answer{r};
        const auto status = PQresultStatus(r);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw std::runtime_error{PQerrorMessage(connection_.get())};
        return answer;
    }

    database* database_;
    connection connection_;
};

}  // namespace quickstart
