// Does a backlog slow the worker down? A worker takes the same number of jobs from lanes with more and more waiting
// jobs, next to a lane that no worker serves, and next to delayed jobs. The ceiling is a lane that holds only the jobs
// that the worker takes.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <stop_token>

namespace bench {

namespace {

// The server makes the rows: to enqueue ten million jobs takes too long.
void load(const std::string& dsn, std::int64_t waiting, std::int64_t unserved, std::int64_t delayed) {
    clear(dsn);
    bare db{dsn};
    const std::string s = pgq::statement::quoted(schema_name);
    const std::string mails = "(SELECT id FROM " + s + ".lane WHERE entrypoint = 'mail')";
    const std::string rank = std::to_string(pgq::rank::of(0).value);
    const auto insert = [&](const std::string& lane, std::int64_t n) {
        if (n == 0) return;
        db.run("INSERT INTO " + s + ".ready (lane, rank, body) SELECT " + lane + ", " + rank +
               ", convert_to('{\"to\":\"ada@example.org\",\"number\":' || i || '}', 'UTF8') FROM generate_series(0, " +
               std::to_string(n - 1) + ") i");
    };
    // In the index, half of the unserved jobs come before the served lane and half after it.
    insert("-1", unserved / 2);
    insert(mails, waiting);
    insert("2147483647", unserved - unserved / 2);
    if (delayed != 0)
        db.run("INSERT INTO " + s +
               ".deferred (run_at, kind, id, lane, rank, body) SELECT now() + interval '1 day', 'd', -i, " + mails +
               ", " + rank + ", 'x' FROM generate_series(1, " + std::to_string(delayed) + ") i");
    // After so many inserts autovacuum would start, perhaps in the middle of a run.
    db.run("VACUUM ANALYZE " + s + ".ready, " + s + ".deferred");
    db.run("CHECKPOINT");
}

std::int64_t take(const std::string& dsn, std::int64_t n) {
    mail_queue<> jobs{strict_driver(dsn)};
    std::stop_source stop;
    std::int64_t seen = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 1999}, [&](const mail&) {
                      if (++seen == n) stop.request_stop();
                  }};
    w.run(stop.get_token()).value();
    return seen;
}

}  // namespace

void backlog(context& c) {
    struct workload {
        const char* what;
        std::int64_t waiting, unserved, delayed;
        double bar;
        bool quick;
    };
    const auto n = c.jobs(500'000, 100'000);
    refill(c.dsn, 1);  // creates the lane
    const workload workloads[] = {{"1 million waiting", 1'000'000, 0, 0, 0.80, true},
                                  {"10 million waiting", 10'000'000, 0, 0, 0.80, false},
                                  {"90 % in another lane", n, 9 * n, 0, 0.80, true},
                                  {"a million delayed", n, 0, 1'000'000, 0.95, false}};
    for (const auto& s : workloads) {
        if (c.quick && !s.quick) continue;
        compare(c, {.question = "backlog", .what = s.what, .ceiling_name = "pgq, without a backlog", .bar = s.bar},
                trial_of{[&] { load(c.dsn, s.waiting, s.unserved, s.delayed); }, [&] { return take(c.dsn, n); }},
                trial_of{[&] { load(c.dsn, n, 0, 0); }, [&] { return take(c.dsn, n); }});
    }
    clear(c.dsn);
}

}  // namespace bench
