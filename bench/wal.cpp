// What does a job cost the server? WAL bytes and records, and transactions, for enqueueing and for claim + acknowledge.
//
//     wal [JOBS]              the server is the one of PGQ_DSN, else the one of libpq's environment; nothing else should use it

#include <pgq/driver/libpq.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/job/members.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct note {
    static constexpr std::string_view entrypoint = "note";
    std::string to{};
    int number = 0;
};

}  // namespace

BOOST_HANA_ADAPT_STRUCT(note, to, number);

namespace {

using bench_queue = pgq::queue<pgq::job<note>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;

struct reading {
    double bytes = 0;
    double records = 0;
    double pages = 0;
    double commits = 0;
};

class meter {
public:
    explicit meter(const std::string& dsn) : connection_{PQconnectdb(dsn.c_str())} {}

    /// A session's counters are complete when it has ended, so this waits for all of ours to be gone.
    reading read() const {
        while (*PQgetvalue(run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgq'").get(), 0, 0) !=
               '0') {}
        run("SELECT pg_stat_force_next_flush()");
        const auto r =
            run("SELECT wal_bytes, wal_records, wal_fpi, (SELECT xact_commit FROM pg_stat_database"
                " WHERE datname = current_database()) FROM pg_stat_wal");
        const auto cell = [&](int i) { return std::strtod(PQgetvalue(r.get(), 0, i), nullptr); };
        return {cell(0), cell(1), cell(2), cell(3)};
    }
    pgq::driver::pq::result_ptr run(const char* sql) const {
        pgq::driver::pq::result_ptr r{PQexec(connection_.get(), sql)};
        if (PQresultStatus(r.get()) != PGRES_TUPLES_OK && PQresultStatus(r.get()) != PGRES_COMMAND_OK)
            throw std::runtime_error{PQerrorMessage(connection_.get())};
        return r;
    }

private:
    pgq::driver::pq::connection_ptr connection_;
};

void print(const char* what, std::size_t batch, const reading& a, const reading& b, int jobs) {
    std::printf("%-20s %6zu %10.1f %10.3f %10.4f %10.4f\n", what, batch, (b.bytes - a.bytes) / jobs,
                (b.records - a.records) / jobs, (b.pages - a.pages) / jobs, (b.commits - a.commits) / jobs);
}

// Each phase has a queue object, and so a session, of its own.
template <class Use>
void with_queue(const std::string& dsn, Use use) {
    bench_queue jobs{pgq::driver::libpq{dsn}, {.name = "wal " + std::to_string(::getpid())}};
    use(jobs);
}

int drain(const std::string& dsn, std::size_t batch) {
    int seen = 0;
    with_queue(dsn, [&](bench_queue& jobs) {
        pgq::worker w{
            jobs,
            pgq::worker_options{.max_prefetch = static_cast<std::uint32_t>(batch - 1), .until = pgq::run_until::empty},
            [&](const note&) { ++seen; }};
        w.run().value();
    });
    return seen;
}

void fill(const std::string& dsn, std::size_t batch, int rounds) {
    const std::vector<note> some(batch, note{"ada@example.org, a line", 7});  // 45 bytes as JSON
    with_queue(dsn, [&](bench_queue& jobs) {
        for (int i = 0; i < rounds; ++i) jobs.enqueue(some).value();
    });
}

void measure(const std::string& dsn, int jobs_wanted, std::size_t batch) {
    const meter m{dsn};
    const int rounds = jobs_wanted / static_cast<int>(batch);
    const int n = rounds * static_cast<int>(batch);
    m.run("CHECKPOINT");
    fill(dsn, batch, 1);  // the images of the pages in use go here
    (void)drain(dsn, batch);
    const reading start = m.read();
    fill(dsn, batch, rounds);
    const reading between = m.read();
    if (drain(dsn, batch) != n) throw std::runtime_error{"a job was lost or ran twice"};
    const reading end = m.read();
    print("enqueue", batch, start, between, n);
    print("claim + acknowledge", batch, between, end, n);
    print("life-cycle", batch, start, end, n);
}

}  // namespace

int main(int argc, char** argv) {
    const char* dsn = std::getenv("PGQ_DSN");
    const int jobs = argc > 1 ? std::max(1000, std::atoi(argv[1])) : 100'000;
    try {
        bench_queue{pgq::driver::libpq{dsn != nullptr ? dsn : ""}}.install().value();
        std::printf("%-20s %6s %10s %10s %10s %10s\n", "per job", "batch", "WAL bytes", "records", "page img",
                    "commits");
        for (const std::size_t batch : {10, 100, 1000})
            measure(dsn != nullptr ? dsn : "", batch == 10 ? jobs / 10 : jobs, batch);
        return 0;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "wal: %s\n", e.what());
        return 1;
    }
}
