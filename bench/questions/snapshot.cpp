// What does an old snapshot cost, held by somebody for the whole time, so that nothing can be vacuumed? Jobs are enqueued and
// drained again and again by one worker that goes on as long; the rate of the last third of the time is compared with the rate before anybody
// held anything.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace bench {

namespace {

// A worker in a thread of its own; how many of the jobs 0 ... n-1 it has seen.
class drainer {
public:
    explicit drainer(const std::string& dsn)
        : jobs_{strict_driver(dsn)}, thread_{[this](std::stop_token stop) { run(stop); }} {}

    void await(std::int64_t n) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, std::chrono::minutes{5}, [&] { return seen_ >= n; }))
            throw std::runtime_error{"jobs did not run within five minutes"};
        if (std::exchange(seen_, 0) != n || std::exchange(sum_, 0) != n * (n - 1) / 2)
            throw std::runtime_error{"a job was lost or ran twice"};
    }

private:
    void run(std::stop_token stop) {
        pgq::worker w{jobs_, pgq::worker_options{.max_prefetch = 1999}, [this](const mail& m) {
                          const std::lock_guard lock{mutex_};
                          ++seen_, sum_ += m.number;
                          if (seen_ % 1000 == 0) changed_.notify_one();
                      }};
        w.run(stop).value();
    }

    mail_queue<> jobs_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::int64_t seen_ = 0, sum_ = 0;
    std::jthread thread_;
};

// In and out.
double cycle(mail_queue<>& jobs, drainer& worker, std::int64_t n) {
    const std::int64_t by = 10'000;
    const auto began = steady::now();
    for (std::int64_t i = 0; i < n; i += by) jobs.enqueue(mails(i, by)).value();
    worker.await(n);
    return static_cast<double>(n) / seconds_since(began);
}

double gigabytes(bare& db) {
    const std::string s = pgq::statement::quoted(schema_name);
    return static_cast<double>(db.number("SELECT pg_total_relation_size('" + s + ".ready') + pg_total_relation_size('" +
                                         s + ".lease')")) /
           1e9;
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
    bare db{c.dsn}, holder{c.dsn};
    {
        mail_queue<> jobs{strict_driver(c.dsn)};
        drainer worker{c.dsn};
        (void)cycle(jobs, worker, n);
        const auto quiet = steady::now();
        while (r.ceiling.size() < static_cast<std::size_t>(c.rounds()) || seconds_since(quiet) < seconds / 10)
            r.ceiling.add(cycle(jobs, worker, n));
        holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
        const auto began = steady::now();
        std::vector<double> rates;
        while (seconds_since(began) < seconds) rates.push_back(cycle(jobs, worker, n));
        for (std::size_t i = rates.size() * 2 / 3; i < rates.size(); ++i) r.ours.add(rates[i]);
        char size[32];
        std::snprintf(size, sizeof size, "%.2f", gigabytes(db));
        r.note = std::to_string(rates.size()) + " times " + std::to_string(n) + " jobs; tables of " + size +
                 " GB at the end";
        holder.run("COMMIT");
    }
    c.out.add(r);
    clear(c.dsn);
}

}  // namespace bench
