// How long does it take from the enqueue to the start of the handler? First one job at a time, while the worker sleeps.
// Then jobs at fixed rates: the time counts from the planned enqueue of each job, also if the job before it was slow.

#include <questions/questions.hpp>
#include <support/mail.hpp>

#include <pgq/executor/thread_pool.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/wake.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace bench {

namespace {

using namespace std::chrono_literals;
using pool_queue = mail_queue<pgq::executor::thread_pool>;

// A worker on its own thread that records when each job started.
class timed_worker {
public:
    timed_worker(const std::string& dsn, std::size_t n)
        : began_(n),
          jobs{pgq::driver::libpq{dsn}, {}, pgq::executor::thread_pool{2}},
          thread_{[this](std::stop_token stop) { run(stop); }} {}

    steady::time_point wait_for(std::size_t i) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, 30s, [&] { return began_[i] != steady::time_point{}; }))
            throw std::runtime_error{"a job did not start within 30 s"};
        return began_[i];
    }

private:
    void run(std::stop_token stop) {
        pgq::worker w{jobs, [this](const mail& m) {
                          const auto now = steady::now();
                          const std::lock_guard lock{mutex_};
                          began_[static_cast<std::size_t>(m.number)] = now;
                          changed_.notify_all();
                      }};
        w.run(stop).value();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<steady::time_point> began_;

public:
    pool_queue jobs;

private:
    std::jthread thread_;
};

double ms(steady::time_point from, steady::time_point to) {
    return std::chrono::duration<double, std::milli>(to - from).count();
}

// The median time of the same statements by bare libpq: insert, find sleeping workers and notify them, claim. The pause
// between rounds equals the pause between jobs, because an idle machine takes time to wake up.
double statements_alone(const std::string& dsn, int rounds) {
    namespace st = pgq::statement;
    bare producer{dsn}, taker{dsn}, pause{dsn};
    taker.run("SET synchronous_commit = off; SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off");
    const std::string s = st::quoted(schema_name);
    const pgq::lane_id lane{
        static_cast<std::int32_t>(producer.number("SELECT id FROM " + s + ".lane WHERE entrypoint = 'mail'"))};
    const auto space = static_cast<std::int32_t>(
        producer.number("SELECT oid::int8 FROM pg_namespace WHERE nspname = '" + std::string{schema_name} + "'"));
    st::params put, wake, claim;
    put.number(lane.value).number(pgq::rank::of(0).value).bytes(R"({"to":"ada@example.org","number":1})");
    wake.number(space).int4s(1, [&](std::size_t) { return lane.value; });
    const pgq::claim_lane from{.lane = lane, .max_attempts = 20};
    st::bind_claim(claim, {.worker = {1}, .lanes = {&from, 1}, .limit = 3});
    producer.prepare(st::enqueue_one, put, std::string{schema_name});
    producer.prepare(st::wake, wake, std::string{schema_name});
    taker.prepare(st::claim_one, claim, std::string{schema_name});
    producer.enter_pipeline();
    taker.enter_pipeline();
    samples took;
    for (int i = 0; i < rounds; ++i) {
        const auto began = steady::now();
        producer.send(st::enqueue_one, put), producer.sync();
        producer.send(st::wake, wake), producer.sync();
        (void)producer.answer(), producer.synced();
        (void)producer.answer(), producer.synced();
        taker.send(st::claim_one, claim), taker.sync();
        (void)taker.answer(), taker.synced();
        took.add(ms(began, steady::now()));
        pause.run("SELECT pg_sleep(0.003)");
    }
    bare{dsn}.run("TRUNCATE " + s + ".lease");
    return took.median();
}

void one_by_one(context& c) {
    const int rounds = c.quick ? 200 : 1000;
    clear(c.dsn);
    row r{.question = "latency",
          .what = "worker asleep",
          .unit = "starts/s",
          .ceiling_name = "the same statements, one after the other",
          .n = rounds,
          .bar = c.quick ? std::optional<double>{} : 0.5};
    bare pause{c.dsn};
    {
        timed_worker l{c.dsn, static_cast<std::size_t>(rounds)};
        for (int i = 0; i < rounds; ++i) {
            const auto began = steady::now();
            l.jobs.enqueue(mail{"ada@example.org", i}).value();
            const double took = ms(began, l.wait_for(static_cast<std::size_t>(i)));
            if (i >= 20) r.latency_ms.add(took);
            pause.run("SELECT pg_sleep(0.003)");  // the worker sleeps again by then
        }
    }
    r.ours.add(1000 / r.latency_ms.median());
    for (int i = 0; i < 3; ++i) r.ceiling.add(1000 / statements_alone(c.dsn, rounds / 3));
    c.out.add(r);
}

// From the end of a failed attempt to the start of the next one.
void retries(context& c) {
    const int rounds = c.quick ? 100 : 500;
    clear(c.dsn);
    row r{.question = "latency", .what = "retry without delay", .unit = "retries/s", .n = rounds};
    mail_queue<> jobs{pgq::driver::libpq{c.dsn}};
    jobs.enqueue(mails(0, rounds)).value();
    std::vector<steady::time_point> failed(static_cast<std::size_t>(rounds));
    pgq::worker w{jobs, pgq::worker_options{.max_prefetch = 0, .until = pgq::run_until::drained},
                  [&](const mail& m, pgq::context& context) -> pgq::outcome {
                      auto& when = failed[static_cast<std::size_t>(m.number)];
                      if (context.attempt() == 1) return when = steady::now(), pgq::retry_after{0s, "once more"};
                      r.latency_ms.add(ms(when, steady::now()));
                      return pgq::done{};
                  }};
    w.run().value();
    if (r.latency_ms.size() != static_cast<std::size_t>(rounds)) throw std::runtime_error{"a job was not retried"};
    r.ours.add(1000 / r.latency_ms.median());
    c.out.add(r);
}

void at_rate(context& c, int rate) {
    const double seconds = c.quick ? 2 : 10;
    const auto n = static_cast<std::int64_t>(rate * seconds);
    clear(c.dsn);
    row r{.question = "latency", .what = std::to_string(rate) + " jobs/s", .unit = "jobs/s", .n = n};
    timed_worker l{c.dsn, static_cast<std::size_t>(n)};
    l.jobs.enqueue(mail{"ada@example.org", 0}).value();  // connects
    (void)l.wait_for(0);
    const auto start = steady::now();
    const auto due = [&](std::int64_t i) { return start + std::chrono::nanoseconds{1'000'000'000 / rate} * i; };
    std::mutex m;
    std::condition_variable never;
    for (std::int64_t i = 1; i < n;) {
        std::unique_lock lock{m};
        (void)never.wait_until(lock, due(i), [] { return false; });
        std::int64_t upto = i;
        while (upto < n && due(upto) <= steady::now()) ++upto;  // one call enqueues all that are due
        if (upto > i) l.jobs.enqueue(mails(i, upto - i)).value();
        i = upto;
    }
    for (std::int64_t i = 1; i < n; ++i) r.latency_ms.add(ms(due(i), l.wait_for(static_cast<std::size_t>(i))));
    r.ours.add(static_cast<double>(n) / seconds_since(start));
    c.out.add(r);
}

}  // namespace

void latency(context& c) {
    one_by_one(c);
    retries(c);
    for (const int rate : {10, 100, 1000, 10'000}) at_rate(c, rate);
}

}  // namespace bench
