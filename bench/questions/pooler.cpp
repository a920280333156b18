// How fast does one worker drain a lane behind PgBouncer in transaction mode? The ceiling is the same worker on a
// direct connection. Workers have the usual settings: their commits do not wait for the disk.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <cstdlib>
#include <stdexcept>

namespace bench {

namespace {

/// Jobs per second.
double rate(const std::string& direct, const std::string& dsn, std::int64_t n, std::uint32_t batch) {
    refill(direct, n);
    tally seen{n};
    mail_queue<> jobs{pgq::driver::libpq{{.conninfo = dsn}}};
    const auto began = steady::now();
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 2 * batch - 1, .until = pgq::run_until::empty},
                  [&](const mail& m) { seen.see(m.number); }};
    w.run().value();
    const double seconds = seconds_since(began);
    seen.check();
    return static_cast<double>(n) / seconds;
}

}  // namespace

void pooler(context& c) {
    const char* const dsn = std::getenv("PGQ_POOLER_DSN");
    if (dsn == nullptr) throw std::runtime_error{"set PGQ_POOLER_DSN, or use bench/run.sh pooler"};
    for (const std::uint32_t batch : {10u, 100u, 1000u}) {
        const auto n = batch == 10 ? c.jobs(50'000, 10'000) : c.jobs(500'000, 100'000);
        row r{.question = "pooler",
              .what = "drain by " + std::to_string(batch) + " behind PgBouncer",
              .ceiling_name = "the same worker on a direct connection",
              .n = n,
              .bar = batch >= 1000 ? std::optional{0.7} : std::nullopt};
        // No costs: the pooler keeps its sessions, and what they cost is counted at their end.
        for (int i = 0; i <= c.rounds(); ++i) {
            const double pooled = rate(c.dsn, dsn, n, batch), direct = rate(c.dsn, c.dsn, n, batch);
            if (i == 0) continue;  // that was for the caches
            r.ours.add(pooled);
            r.ceiling.add(direct);
        }
        c.out.add(r);
    }
}

}  // namespace bench
