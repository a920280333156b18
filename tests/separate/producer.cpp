#include <separate/greeting.hpp>

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

// In the caller's transaction, which is a function of caller_transaction.ipp.
bool enqueue_in_transaction(separate::greetings& queue, const char* dsn) {
    PGconn* const c = PQconnectdb(dsn);
    PQclear(PQexec(c, "BEGIN"));
    const bool enqueued = queue.enqueue(pgq::within(c), separate::greeting{"Edsger"}).has_value();
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
    queue.enqueue_stream(std::vector<separate::greeting>{{"Barbara"}}).value();
    bool fine = check(enqueue_in_transaction(queue, dsn ? dsn : ""), "within() failed");
    fine = check(separate::work(queue) == "Ada Grace Barbara Edsger ", "the worker has run something else") && fine;

    PGconn* const c = PQconnectdb(dsn ? dsn : "");
    PQclear(PQexec(c, ("SET client_min_messages = warning; DROP SCHEMA " + schema + " CASCADE").c_str()));
    PQfinish(c);
    return fine ? 0 : 1;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "separate: %s\n", e.info().text().c_str());
    return 1;
}
