// What does an old snapshot cost? One session holds it for the whole time, so the server can vacuum nothing. Meanwhile
// a program enqueues jobs and one worker drains them, again and again. A row has the rate of the last third of the
// time. The ceiling is the rate without a snapshot, measured before and after, because a server that writes steadily
// becomes slower. The jobs of `delayed_snapshot` are all delayed.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>
#include <utility>

namespace bench {

namespace {

// A worker on its own thread. It counts the jobs 0 ... n-1.
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

// Calls `what(late)` until the time is over; `late` is true in the last third, and in at least one call.
template <class F>
void for_a_while(double seconds, F what) {
    const auto began = steady::now();
    for (bool over = false; !over;) {
        const bool late = seconds_since(began) > seconds * 2 / 3;
        what(late);
        over = late && seconds_since(began) > seconds;
    }
}

// What one cycle enqueues.
struct workload {
    std::int64_t n = 0;   // jobs
    std::int64_t by = 0;  // in one call
    pgq::enqueue_options how{};
};

// Enqueues the jobs and waits until they ran; jobs per second.
double cycle(mail_queue<>& jobs, drainer& worker, const workload& l) {
    const auto began = steady::now();
    for (std::int64_t i = 0; i < l.n; i += l.by) jobs.enqueue(mails(i, l.by), l.how).value();
    worker.await(l.n);
    return static_cast<double>(l.n) / seconds_since(began);
}

double gigabytes(bare& db) {
    const std::string s = pgq::statement::quoted(schema_name);
    return static_cast<double>(db.number("SELECT pg_total_relation_size('" + s + ".ready') + pg_total_relation_size('" +
                                         s + ".lease') + pg_total_relation_size('" + s + ".deferred')")) /
           1e9;
}

void hold_snapshot(context& c, std::string what, const workload& l, double seconds) {
    const double quiet = seconds / 5;
    row r{.question = "old snapshot",
          .what = std::move(what),
          .ceiling_name = "pgq, without an old snapshot",
          .n = l.n,
          .bar = 0.90};
    clear(c.dsn);
    bare db{c.dsn}, holder{c.dsn};
    {
        mail_queue<> jobs{strict_driver(c.dsn)};
        drainer worker{c.dsn};
        for_a_while(quiet, [&](bool late) {
            const double rate = cycle(jobs, worker, l);
            if (late) r.ceiling.add(rate);
        });
        holder.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
        int cycles = 0;
        for_a_while(seconds, [&](bool late) {
            const double rate = cycle(jobs, worker, l);
            ++cycles;
            if (late) r.ours.add(rate);
        });
        char size[32];
        std::snprintf(size, sizeof size, "%.2f", gigabytes(db));
        r.note = std::to_string(cycles) + " times " + std::to_string(l.n) + " jobs; the tables have " + size +
                 " GB at the end";
        holder.run("COMMIT");
        for_a_while(quiet, [&](bool late) {
            const double rate = cycle(jobs, worker, l);
            if (late) r.ceiling.add(rate);
        });
    }
    c.out.add(r);
    clear(c.dsn);
}

}  // namespace

void snapshot(context& c) {
    hold_snapshot(c, c.quick ? "held for 10 s" : "held for 10 min", {.n = 100'000, .by = 10'000}, c.quick ? 10 : 600);
}

void delayed_snapshot(context& c) {
    const workload delayed{.n = 50'000, .by = 1000, .how = {.run_at = pgq::in(std::chrono::milliseconds{100})}};
    hold_snapshot(c, c.quick ? "all jobs delayed, held for 10 s" : "all jobs delayed, held for 3 min", delayed,
                  c.quick ? 10 : 180);
}

}  // namespace bench
