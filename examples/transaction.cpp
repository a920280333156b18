// Takes a job, works on it and writes the result in one transaction.

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {
struct transfer {
    static constexpr std::string_view entrypoint = "transfer";
    std::string from{};
    std::string to{};
    int amount = 0;
};
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::transfer, from, to, amount);

using bank = pgq::queue<app::transfer, pgq::driver::libpq, pgq::serializer::json>;

namespace {

constexpr auto move_money = "UPDATE account SET balance = balance + $2 WHERE name = $1";

// If the function returns a value, its changes and the end of the job are committed. If it returns an error or throws,
// all is rolled back and the job is in the queue again.
pgq::result<bool> transfer_one(bank& jobs) {
    return jobs.transaction([](auto& tx) -> pgq::result<bool> {
        auto job = tx.template take<app::transfer>({.timeout = 100ms});
        if (!job) return job.error();
        if (!*job) return false;  // the queue is empty
        const app::transfer& t = (*job)->value();

        auto booked = tx.savepoint([&](auto& inner) -> pgq::result<void> {
            if (auto out = inner.exec(move_money, t.from, -t.amount); !out) return out.error();
            if (auto in = inner.exec(move_money, t.to, t.amount); !in) return in.error();
            return {};
        });
        // If a CHECK of the table fails, only the booking is rolled back. The job is done, and the note says "refused".
        const std::string note = booked ? "booked" : "refused";
        if (auto put = tx.exec("INSERT INTO note VALUES ($1, $2)", (*job)->id(), note); !put) return put.error();
        return true;
    });
}

// The same in a transaction that the caller opens on its own connection.
void transfer_within(bank& jobs, PGconn* conn) {
    PQclear(PQexec(conn, "BEGIN"));
    const auto job = jobs.take<app::transfer>(pgq::within(conn)).value();
    if (job) std::printf("%d from %s to %s, rolled back\n", (*job)->amount, (*job)->from.c_str(), (*job)->to.c_str());
    PQclear(PQexec(conn, "ROLLBACK"));  // the job is in the queue again
}

void run(bank& jobs, const char* sql) {
    jobs.transaction([&](auto& tx) { (void)tx.exec(sql).value(); }).value();
}

}  // namespace

// transaction [CONNECTION-STRING]
int main(int argc, char** argv) try {
    const std::string where = argc > 1 ? argv[1] : "";
    bank jobs{pgq::driver::libpq{where}};
    jobs.install().value();
    run(jobs, "CREATE TABLE IF NOT EXISTS account (name text PRIMARY KEY, balance int CHECK (balance >= 0))");
    run(jobs, "CREATE TABLE IF NOT EXISTS note (job bigint, what text)");
    run(jobs,
        "INSERT INTO account VALUES ('ada', 100), ('grace', 0) ON CONFLICT (name) DO UPDATE SET balance = "
        "excluded.balance");

    (void)jobs.enqueue(app::transfer{"ada", "grace", 70}).value();
    (void)jobs.enqueue(app::transfer{"ada", "grace", 70}).value();

    const std::unique_ptr<PGconn, decltype(&PQfinish)> conn{PQconnectdb(where.c_str()), &PQfinish};
    transfer_within(jobs, conn.get());
    while (transfer_one(jobs).value()) {}

    jobs.transaction([](auto& tx) {
            const auto accounts = tx.exec("SELECT name, balance FROM account ORDER BY name").value();
            for (std::size_t i = 0; i < accounts.size(); ++i)
                std::printf("%s has %s\n", accounts[i][0]->c_str(), accounts[i][1]->c_str());
            const auto notes = tx.exec("SELECT what FROM note ORDER BY job").value();
            for (std::size_t i = 0; i < notes.size(); ++i) std::printf("%s\n", notes[i][0]->c_str());
        })
        .value();
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "transaction: %s\n", e.info().text().c_str());
    return 1;
}
