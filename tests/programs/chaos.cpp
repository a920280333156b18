// Producers and workers of the test of mixed features, which the test kills and stops: chaos KEY=VALUE...
//
//   dsn, schema    where the jobs are stored; the table `posted` (n) is there, too
//   role=worker    runs all jobs of the queue `queue`
//       producer   enqueues jobs of all features; their numbers begin at `first`
//   folder         where the files of records are
//   rest           microseconds that a handler takes
//   threads        of a worker
//   backlog        a producer pauses while so many jobs wait
//
// A producer records a job after its enqueue was confirmed. A worker records each begin and each success before the
// acknowledgement. Both end with SIGTERM.

#include <pgq/worker.hpp>

#include <support/chaos.hpp>
#include <support/child_program.hpp>
#include <support/database.hpp>

#include <poll.h>
#include <signal.h>

#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <stop_token>
#include <thread>

namespace {

using namespace test::chaos;

struct reporter {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::worker_started&) {
        std::puts("READY");
        std::fflush(stdout);
    }
};
using queue_type = queue<reporter>;
using settings = std::map<std::string, std::string>;

void rest(std::int32_t microseconds) { ::usleep(static_cast<useconds_t>(microseconds)); }

queue_type open(settings& s) {
    pgq::driver::connection_options to{.conninfo = s["dsn"], .schema = s["schema"]};
    to.response_timeout = 2s;
    return queue_type{pgq::driver::libpq{to},
                      {.name = s["queue"]},
                      pgq::executor::thread_pool{static_cast<std::size_t>(std::atoi(s["threads"].c_str()))}};
}

class handlers {
public:
    explicit handlers(settings& s)
        : began_{std::make_shared<log_file>(s["folder"] + "/began")},
          ended_{std::make_shared<log_file>(s["folder"] + "/ended")},
          rest_{std::atoi(s["rest"].c_str())},
          insert_{pgq::statement::render("INSERT INTO {s}.posted VALUES ($1)", s["schema"])},
          is_last_{s["queue"] == "dead"} {}

    void operator()(const step& j, const pgq::context& c) const {
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
        // A second for the way from the check to this line.
        began_->add(j.n, c.id().value, j.expires != 0 && now.count() > j.expires + 1 ? kind::is_late : kind::runs);
        rest(j.rest);
        if (c.attempt() <= j.failures) throw std::runtime_error{"told to fail"};
        ended_->add(j.n, c.id().value);
    }
    void operator()(const counted& j, const pgq::context& c) const {
        began_->add(j.n, c.id().value, kind::is_counted);
        rest(j.rest);
        ended_->add(j.n, c.id().value, kind::is_counted);
    }
    void operator()(const paced& j, const pgq::context& c) const {
        began_->add(j.n, c.id().value, kind::is_paced);
        ended_->add(j.n, c.id().value);
    }
    void operator()(std::span<const grouped> all, pgq::batch_context& c) const {
        rest(rest_);
        std::vector<record> done;
        for (std::size_t i = 0; i < all.size(); ++i)
            done.push_back({all[i].n, c[i].id().value, steady_now(), ::getpid(), 0});
        ended_->add(done);
    }
    pgq::outcome operator()(const posted& j, const pgq::context& c, pgq::transaction<queue_type>& tx) const {
        rest(rest_);
        (void)tx.exec(insert_, j.n).value();
        ended_->add(j.n, c.id().value);
        return pgq::done{};
    }
    std::int64_t operator()(const computed& j, const pgq::context& c) const {
        rest(rest_);
        ended_->add(j.n, c.id().value);
        return 2 * j.n;
    }
    pgq::outcome operator()(const doomed& j, const pgq::context& c) const {
        if (is_last_) {
            ended_->add(j.n, c.id().value);
            return pgq::done{};
        }
        if (c.attempt() < 2) throw std::runtime_error{"told to fail"};
        return pgq::hold{"told to fail for good"};
    }

private:
    std::shared_ptr<const log_file> began_, ended_;
    std::int32_t rest_;
    std::string insert_;
    bool is_last_;
};

int work(settings& s, const std::stop_token& stop) {
    auto jobs = open(s);
    pgq::worker w{
        jobs, {.max_attempts = 1000, .lease_time = lease_time, .poll_interval = 1s, .max_prefetch = 100}, handlers{s}};
    const auto ended = w.run(stop);
    if (!ended) std::fprintf(stderr, "%d: the worker ended: %s\n", ::getpid(), ended.error().text().c_str());
    return ended ? 0 : 1;
}

class producer {
public:
    explicit producer(settings& s)
        : jobs_{open(s)},
          enqueued_{s["folder"] + "/enqueued"},
          rest_{std::atoi(s["rest"].c_str())},
          next_{std::atoll(s["first"].c_str())},
          random_{static_cast<std::uint32_t>(next_)} {}

    void enqueue_some() {
        switch (random_() % 16) {
        case 0: return many({.priority = static_cast<std::int16_t>(random_() % 3)}, 40);
        case 1: return many({.packed = true}, 200);
        case 2: return many({.run_at = pgq::in(1ms * (random_() % 2000))}, 20);
        case 3: return many({.keep_outcome = 5s}, 20);
        case 4: return expiring();
        case 5: return with_keys();
        case 6: return one_after_the_other();
        case 7: return in_a_transaction();
        case 8: return cancelled();
        case 9:
            return of_type<counted>(kind::is_counted, 4, [&](auto n) {
                return counted{n, random_() % 50 == 0 ? 1000000 : 5000};
            });
        case 10: return of_type<paced>(kind::is_paced, 2, [](auto n) { return paced{n}; });
        case 11: return of_type<grouped>(kind::runs, 50, [](auto n) { return grouped{n}; });
        case 12: return of_type<posted>(kind::is_posted, 5, [](auto n) { return posted{n}; });
        case 13: return of_type<computed>(kind::runs, 10, [](auto n) { return computed{n}; });
        case 14: return of_type<doomed>(kind::runs, 2, [](auto n) { return doomed{n}; });
        default: return single();
        }
    }

private:
    step next() { return {next_++, rest_, static_cast<std::int16_t>(random_() % 20 == 0 ? 1 + random_() % 2 : 0), 0}; }
    void many(const pgq::enqueue_options& options, int count, kind what = kind::runs) {
        std::vector<step> all;
        for (int i = 0; i < count; ++i) all.push_back(next());
        note(all, jobs_.enqueue(all, options), what);
    }
    template <class Job, class Make>
    void of_type(kind what, int count, Make make) {
        std::vector<Job> all;
        for (int i = 0; i < count; ++i) all.push_back(make(next_++));
        note(all, jobs_.enqueue(all), what);
    }
    void single() {
        const auto j = next();
        if (const auto h = jobs_.enqueue(j)) enqueued_.add(j.n, h->value);
    }
    void expiring() {
        const auto late = std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now()) + 3s;
        std::vector<step> all;
        for (int i = 0; i < 20; ++i) all.push_back({next_++, rest_, 0, late.time_since_epoch().count()});
        note(all, jobs_.enqueue(all, {.expires_at = late, .keep_outcome = 1h}), kind::expires);
    }
    void with_keys() {
        for (int i = 0; i < 5; ++i) {
            const auto j = next();
            const auto key = "key " + std::to_string(random_() % 100);
            const pgq::unique u{key};
            const auto scope = random_() % 3;
            const auto h = jobs_.enqueue(j, {.unique_key = scope == 0   ? u
                                                           : scope == 1 ? u.while_waiting()
                                                                        : u.during(1s)});
            if (h && h->is_new()) enqueued_.add(j.n, h->value);
        }
    }
    void one_after_the_other() {
        auto flow = jobs_.flow();
        const std::vector<step> all{next(), next(), next()};
        auto last = flow.add(all[0]);
        for (std::size_t i = 1; i < all.size(); ++i) {
            auto added = flow.add(all[i]);
            added.after(last);
            last = added;
        }
        const auto ids = flow.enqueue();
        if (!ids) return;
        enqueued_.add(all[0].n, (*ids)[0].id.value);
        for (std::size_t i = 1; i < all.size(); ++i) enqueued_.add(all[i].n, (*ids)[i].id.value, kind::is_child);
    }
    void in_a_transaction() {
        const auto one = next();
        const posted two{next_++};
        std::int64_t first = 0, second = 0;
        const auto committed = jobs_.transaction([&](auto& tx) -> pgq::result<void> {
            const auto a = tx.enqueue(one);
            if (!a) return a.error();
            const auto b = tx.enqueue(two);
            if (!b) return b.error();
            first = a->value;
            second = b->value;
            return {};
        });
        if (!committed) return;
        enqueued_.add(one.n, first);
        enqueued_.add(two.n, second, kind::is_posted);
    }
    void cancelled() {
        const auto j = next();
        const auto h = jobs_.enqueue(j, {.run_at = pgq::in(2s)});
        if (!h) return;
        const auto c = h->cancel();
        enqueued_.add(j.n, h->value, c && c->removed == 1 ? kind::is_cancelled : kind::may_run);
    }
    template <class Job, class Handles>
    void note(const std::vector<Job>& all, const pgq::result<Handles>& answer, kind what) {
        if (!answer) return;
        std::vector<record> some;
        for (std::size_t i = 0; i < all.size(); ++i)
            some.push_back({all[i].n, (*answer)[i].value, steady_now(), ::getpid(), static_cast<std::int32_t>(what)});
        enqueued_.add(some);
    }

    queue_type jobs_;
    log_file enqueued_;
    std::int32_t rest_;
    std::int64_t next_;
    std::mt19937 random_;
};

int produce(settings& s, const std::stop_token& stop) {
    producer p{s};
    std::puts("READY");
    std::fflush(stdout);
    const auto backlog = static_cast<std::size_t>(std::atoll(s["backlog"].c_str()));
    while (!stop.stop_requested()) {
        if (count_records(s["folder"] + "/enqueued") > count_records(s["folder"] + "/ended") + backlog)
            ::poll(nullptr, 0, 5);
        else p.enqueue_some();
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    sigset_t ends = test::begin_child_program();

    settings s{{"queue", "default"}, {"threads", "4"}, {"rest", "5000"}, {"backlog", "5000"}, {"first", "0"}};
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const auto eq = a.find('=');
        s[a.substr(0, eq)] = a.substr(eq + 1);
    }
    std::stop_source stop;
    std::thread listener{[&] {
        int number = 0;
        sigwait(&ends, &number);
        stop.request_stop();
    }};
    const int code = s["role"] == "worker" ? work(s, stop.get_token()) : produce(s, stop.get_token());
    ::kill(::getpid(), SIGTERM);
    listener.join();
    return code;
}
