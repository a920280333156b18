#include <separate/greeting.hpp>

#include <pgq/driver/borrow.hpp>

#include <libpq-fe.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

bool check(bool fine, const char* what) {
    if (!fine) std::fprintf(stderr, "separate: %s\n", what);
    return fine;
}

// On a connection of the caller's: with `within`, and with a queue of its own, whose sessions are header-only.
bool enqueue_in_transaction(separate::greetings& queue, const char* dsn, const std::string& schema) {
    PGconn* const c = PQconnectdb(dsn);
    pgq::rebind<separate::greetings, pgq::driver::borrow> borrowing{pgq::driver::borrow{c, {.schema = schema}}};
    PQclear(PQexec(c, "BEGIN"));
    const bool enqueued = queue.enqueue(pgq::within(c), separate::greeting{"Edsger"}).has_value() &&
                          borrowing.enqueue(separate::greeting{"Barbara"}).has_value();
    PQclear(PQexec(c, "COMMIT"));
    PQfinish(c);
    return enqueued;
}

}  // namespace

int main() try {
    const char* const dsn = std::getenv("PGQ_DSN");
    const std::string schema = "separate_" + std::to_string(::getpid());
    separate::greetings queue{pgq::driver::libpq{{.conninfo = dsn ? dsn : "", .schema = schema}}};
    queue.install().value();
    queue.enqueue(std::vector<separate::greeting>{{"Ada"}, {"Grace"}}).value();
    queue.enqueue_stream(std::vector<separate::greeting>{{"Tony"}}).value();
    bool fine = check(enqueue_in_transaction(queue, dsn ? dsn : "", schema), "the caller's transaction failed");
    fine =
        check(separate::work(queue) == "Ada Grace Tony Edsger Barbara ", "the worker has run something else") && fine;

    PGconn* const c = PQconnectdb(dsn ? dsn : "");
    PQclear(PQexec(c, ("SET client_min_messages = warning; DROP SCHEMA " + schema + " CASCADE").c_str()));
    PQfinish(c);
    return fine ? 0 : 1;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "separate: %s\n", e.info().text().c_str());
    return 1;
}
