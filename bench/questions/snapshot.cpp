// What does an old snapshot cost, held by somebody for the whole time, so that nothing can be vacuumed? Jobs are enqueued and
// drained again and again; the rate of the last third of the time is compared with the rate before anybody held anything.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <vector>

namespace bench {

namespace {

double cycle(const std::string& dsn, std::int64_t n) {
    mail_queue<> jobs{strict_driver(dsn)};
    const auto some = mails(0, 10'000);
    for (std::int64_t i = 0; i < n; i += 10'000) jobs.enqueue(some).value();
    std::int64_t seen = 0;
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 1999, .until = pgq::run_until::empty},
                  [&](const mail&) { ++seen; }};
    const auto began = steady::now();
    w.run().value();
    if (seen != n) throw std::runtime_error{"a job was lost or ran twice"};
    return static_cast<double>(n) / seconds_since(began);
}

}  // namespace

void snapshot(context& c) {
    const std::int64_t n = 100'000;
    const double seconds = c.quick ? 10 : 600;
    row r{.question = "old snapshot",
          .what = c.quick ? "held for 10 s" : "held for 10 min",
          .ceiling_name = "ours, with nobody holding a snapshot",
          .n = n,
          .bar = 0.90};
    clear(c.dsn);
    (void)cycle(c.dsn, n);
    for (int i = 0; i < c.rounds(); ++i) r.ceiling.add(cycle(c.dsn, n));
    bare holder{c.dsn};
    holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM " + pgq::statement::quoted(schema_name) +
               ".lane");
    const auto began = steady::now();
    std::vector<double> rates;
    while (seconds_since(began) < seconds) rates.push_back(cycle(c.dsn, n));
    for (std::size_t i = rates.size() * 2 / 3; i < rates.size(); ++i) r.ours.add(rates[i]);
    r.note = std::to_string(rates.size()) + " times " + std::to_string(n) + " jobs";
    c.out.add(r);
    holder.run("COMMIT");
    clear(c.dsn);
}

}  // namespace bench
