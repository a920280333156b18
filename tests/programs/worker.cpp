// A worker process that the tests kill, stop and limit: worker KEY=VALUE...
//
//   dsn, journal     connection strings of the worker, and of the tables that it records in
//   schema, queue    where the jobs are stored
//   lease, poll, grace, response, connect, restart    times in milliseconds
//   health           the port that answers for its health
//   threads, prefetch, attempts, until=stopped|empty|drained, state=detect|keep|none
//   do=...           what handlers do; without it each job names its own action:
//     done           nothing
//     sleep:MS       wait, and ignore the stop token
//     wait           the same, until `events` has one that is called "go"
//     heed:MS        wait until the stop token fires, then give the job back
//     spin:MS        compute
//     fail, retry    throw; ask for another attempt at once
//     retry:MS       wait, then ask for another attempt at once
//     crash, exit    end the process
//
// It inserts a row into `runs` for each execution, and one into `events` for each lost lease or connection, and for
// each other error, with its text.
// It prints READY when the worker has started.

#include <pgq/backoff/fixed.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/run.hpp>
#include <pgq/worker.hpp>

#include <support/child_program.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <poll.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>

namespace {

using settings = std::map<std::string, std::string>;

class journal {
public:
    journal(const settings& s) : sql_{s.at("journal"), s.at("schema")} {
        (void)sql_.exec("SET synchronous_commit = off");
    }

    bool has_event(const std::string& what) {
        const std::lock_guard lock{mutex_};
        return sql_.query_text("SELECT count(*) FROM {s}.events WHERE what = '" + what + "'") != "0";
    }
    std::string begin(const test::task& t, const pgq::context& c) {
        const std::lock_guard lock{mutex_};
        return sql_.query_text("INSERT INTO {s}.runs (job, attempt, pid, n) VALUES (" + std::to_string(c.id().value) +
                               ", " + std::to_string(c.attempt()) + ", " + std::to_string(::getpid()) + ", " +
                               std::to_string(t.n) + ") RETURNING run");
    }
    void end(const std::string& run) {
        const std::lock_guard lock{mutex_};
        (void)sql_.exec("UPDATE {s}.runs SET ended = clock_timestamp() WHERE run = " + run);
    }
    void note(const char* what, const pgq::error_info& why = {}) {
        std::string text = why.text();
        std::erase(text, '\'');
        const std::lock_guard lock{mutex_};
        (void)sql_.exec("INSERT INTO {s}.events (pid, what, why) VALUES (" + std::to_string(::getpid()) + ", '" + what +
                        "', '" + text + "')");
    }

private:
    std::mutex mutex_;
    test::sql_connection sql_;
};

class reporter {
public:
    using policy_category = pgq::observer_tag;
    reporter() = default;
    explicit reporter(journal& j) : journal_{&j} {}

    void on(const pgq::event::worker_started&) {
        std::puts("READY");
        std::fflush(stdout);
    }
    void on(const pgq::event::lease_lost&) { journal_->note("lease lost"); }
    void on(const pgq::event::connection_failed& e) { journal_->note("connection failed", e.error); }
    void on(const pgq::event::error& e) { journal_->note("error", e.error); }
    void on(const pgq::event::connection_restored&) { journal_->note("connection restored"); }

private:
    journal* journal_ = nullptr;
};

using queue_type =
    pgq::queue<pgq::job<test::task>, pgq::driver::libpq, pgq::serializer::json, pgq::executor::thread_pool, reporter>;

settings read(int argc, char** argv) {
    settings s{{"queue", "default"},  {"lease", "2000"},   {"poll", "1000"},    {"grace", "10000"},
               {"response", "10000"}, {"threads", "2"},    {"prefetch", "100"}, {"attempts", "20"},
               {"until", "stopped"},  {"state", "detect"}, {"do", ""},          {"connect", "60000"},
               {"restart", "1000"},   {"health", "0"}};
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const auto eq = a.find('=');
        s[a.substr(0, eq)] = a.substr(eq + 1);
    }
    return s;
}

std::chrono::milliseconds time_of(const settings& s, const char* key) {
    return std::chrono::milliseconds{std::atoll(s.at(key).c_str())};
}

pgq::driver::connection_options connection(const settings& s) {
    pgq::driver::connection_options o{.conninfo = s.at("dsn"), .schema = s.at("schema")};
    o.response_timeout = time_of(s, "response");
    const auto& state = s.at("state");
    o.state = state == "none"         ? pgq::driver::session_state::none
              : state == "hold_taken" ? pgq::driver::session_state::keep
                                      : pgq::driver::session_state::detect;
    return o;
}

pgq::worker_options working(const settings& s) {
    const auto& until = s.at("until");
    return {.max_attempts = static_cast<std::int16_t>(std::atoi(s.at("attempts").c_str())),
            .lease_time = time_of(s, "lease"),
            .poll_interval = time_of(s, "poll"),
            .grace = time_of(s, "grace"),
            .connect_timeout = time_of(s, "connect"),
            .max_prefetch = static_cast<std::uint32_t>(std::atoi(s.at("prefetch").c_str())),
            .until = until == "empty"     ? pgq::run_until::empty
                     : until == "drained" ? pgq::run_until::drained
                                          : pgq::run_until::stopped};
}

void spin(std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    volatile unsigned work = 0;
    while (std::chrono::steady_clock::now() < until)
        for (int i = 0; i < 10000; ++i) work = work + 1;
}

// False when it was told to stop.
bool rest(std::chrono::milliseconds time, const std::stop_token& stop) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < until) {
        if (stop.stop_requested()) return false;
        ::poll(nullptr, 0, 5);
    }
    return true;
}

pgq::outcome act(const std::string& what, const pgq::context& c, journal& log) {
    const auto colon = what.find(':');
    const auto verb = what.substr(0, colon);
    const std::chrono::milliseconds time{colon == std::string::npos ? 0 : std::atoll(what.c_str() + colon + 1)};
    if (verb == "sleep") rest(time, {});
    if (verb == "wait")
        while (!log.has_event("go")) rest(std::chrono::milliseconds{20}, {});
    if (verb == "heed" && !rest(time, c.stop_token())) c.throw_if_stopping();
    if (verb == "spin") spin(time);
    if (verb == "fail") throw std::runtime_error{"told to fail"};
    if (verb == "retry") {
        rest(time, {});
        return pgq::retry_after{};
    }
    if (verb == "crash") std::abort();
    if (verb == "exit") ::_exit(3);
    return pgq::done{};
}

}  // namespace

int main(int argc, char** argv) {
    test::end_with_test();
    const auto s = read(argc, argv);
    journal log{s};
    queue_type jobs{pgq::driver::libpq{connection(s)},
                    {.name = s.at("queue")},
                    pgq::executor::thread_pool{static_cast<std::size_t>(std::atoi(s.at("threads").c_str()))},
                    reporter{log}};
    pgq::worker w{jobs, working(s), [&](const test::task& t, const pgq::context& c) -> pgq::outcome {
                      const auto run = log.begin(t, c);
                      auto o = act(s.at("do").empty() ? t.act : s.at("do"), c, log);
                      log.end(run);
                      return o;
                  }};

    const auto port = static_cast<std::uint16_t>(std::atoi(s.at("health").c_str()));
    return pgq::run({.health_port = port, .restart_backoff = pgq::backoff::fixed{time_of(s, "restart")}}, w);
}
