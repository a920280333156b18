// Jobs of all features, in one schema, while programs are killed and stopped, the server restarts, and the network
// breaks. PGQ_CHAOS_JOBS: how many jobs (default 20 000). PGQ_CHAOS_REST: how long a handler takes, in microseconds
// (20 000). PGQ_CHAOS_SEED: of the order of the troubles.

#include <support/catch.hpp>
#include <support/chaos.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/own_server.hpp>
#include <support/process.hpp>
#include <support/proxy.hpp>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace stress_chaos {

using namespace std::chrono_literals;
using namespace test::chaos;
using steady = std::chrono::steady_clock;

namespace {

struct nobody {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::worker_started&) {}
};

std::int64_t setting(const char* name, std::int64_t otherwise) {
    const char* said = std::getenv(name);
    return said == nullptr ? otherwise : std::atoll(said);
}

class folder {
public:
    folder() {
        char name[] = "/tmp/pgq_chaos.XXXXXX";
        if (::mkdtemp(name) == nullptr) throw std::runtime_error{"no folder"};
        path_ = name;
    }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    ~folder() {
        for (const char* file : {"enqueued", "began", "ended"}) ::unlink(this->file(file).c_str());
        ::rmdir(path_.c_str());
    }
    const std::string& path() const noexcept { return path_; }
    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// The server, the network before it, and the programs.
class scene {
public:
    scene() {
        pgq::driver::libpq{options(server_.conninfo())}.install().value();
        (void)sql().exec("CREATE TABLE {s}.posted (n int8 PRIMARY KEY)");
        queue<nobody> jobs{pgq::driver::libpq{options(server_.conninfo())}};
        jobs.dead_letters<doomed>("dead").value();
        for (std::size_t i = 0; i < 5; ++i) workers_.push_back(start_worker(i));
        for (std::size_t i = 0; i < 2; ++i) producers_.push_back(start_producer(i));
    }

    // One trouble. Returns after the program that it is about is there again.
    void trouble(std::mt19937& random) {
        switch (random() % 12) {
        case 0:
        case 1:
        case 2:
        case 3: return kill_worker(random() % workers_.size());
        case 4: return stop_worker(random() % workers_.size());
        case 5:
        case 6: return kill_producer(random() % producers_.size());
        case 7: return network_.cut();
        case 8: return network_.freeze();
        case 9: return network_.thaw();
        case 10: return network_.delay(1ms * (random() % 20));
        default: return restart_server();
        }
    }
    /// No more trouble. Connections that went silent stay silent.
    void end_of_troubles() { network_.delay(0ms); }
    void stop_producers() {
        for (auto& p : producers_) {
            p.send(SIGTERM);
            CHECK(p.wait() == 0);
        }
    }
    void stop_workers() {
        for (std::size_t i = 0; i < workers_.size(); ++i) {
            workers_[i].send(SIGTERM);
            CHECK(workers_[i].wait() == 0);
        }
    }

    test::sql_connection sql() const { return {server_.conninfo(), schema}; }
    pgq::driver::libpq driver() const { return pgq::driver::libpq{options(server_.conninfo())}; }
    std::size_t enqueued() const { return count_records(files_.file("enqueued")); }
    std::size_t ended() const { return count_records(files_.file("ended")); }
    /// Jobs that end in a second, on average over that time.
    double rate(std::chrono::seconds time) const {
        const auto before = ended();
        const auto begun = steady::now();
        (void)test::always(time, [] { return true; });
        return static_cast<double>(ended() - before) / std::chrono::duration<double>(steady::now() - begun).count();
    }
    std::vector<record> records(const std::string& name) const { return read_records(files_.file(name)); }
    /// When a process was killed, for those that were.
    const std::unordered_map<std::int32_t, std::int64_t>& kills() const noexcept { return kills_; }
    /// When a restart of the server began, in order.
    const std::vector<std::int64_t>& restarts() const noexcept { return restarts_; }
    std::string troubles() const {
        return std::to_string(kills_.size()) + " programs were killed, " + std::to_string(stops_) +
               " workers stopped, the server restarted " + std::to_string(restarts_.size()) + " times";
    }

private:
    static constexpr const char* schema = "chaos";

    static pgq::driver::connection_options options(const std::string& conninfo) {
        return {.conninfo = conninfo, .schema = schema};
    }
    // Half of the programs are behind the proxy.
    test::process start(std::size_t i, std::vector<std::string> more) const {
        std::vector<std::string> arguments{
            PGQ_TEST_PROGRAMS "/chaos",
            "dsn=" + (i % 2 == 0 ? server_.conninfo() : network_.conninfo(server_.conninfo())) + " connect_timeout=2",
            std::string{"schema="} + schema, "folder=" + files_.path(),
            "rest=" + std::to_string(setting("PGQ_CHAOS_REST", 20'000))};
        for (auto& m : more) arguments.push_back(std::move(m));
        test::process p{std::move(arguments)};
        if (!p.says("READY")) throw std::runtime_error{"the chaos program did not start"};
        return p;
    }
    // Worker 0 runs the dead letters.
    test::process start_worker(std::size_t i) const {
        return start(i, {"role=worker", i == 0 ? "queue=dead" : "queue=default"});
    }
    // The numbers of its jobs are its own.
    test::process start_producer(std::size_t i) {
        return start(i, {"role=producer", "first=" + std::to_string(++producer_count_ << 32)});
    }

    void kill(test::process& victim) {
        victim.send(SIGKILL);
        CHECK(victim.wait() == -SIGKILL);
        // A little late: its handlers count as running for longer.
        kills_[victim.pid()] = steady_now();
    }
    void kill_worker(std::size_t i) {
        kill(workers_[i]);
        workers_[i] = start_worker(i);
    }
    void kill_producer(std::size_t i) {
        kill(producers_[i]);
        producers_[i] = start_producer(i);
    }
    void stop_worker(std::size_t i) {
        workers_[i].send(SIGTERM);
        CHECK(workers_[i].wait() == 0);
        ++stops_;
        workers_[i] = start_worker(i);
    }
    void restart_server() {
        restarts_.push_back(steady_now());
        server_.restart_immediately();
    }

    test::own_server server_{};
    test::proxy network_{server_.conninfo()};
    folder files_;
    std::vector<test::process> workers_, producers_;
    std::unordered_map<std::int32_t, std::int64_t> kills_;
    std::int64_t producer_count_ = 0;
    int stops_ = 0;
    std::vector<std::int64_t> restarts_;
};

// The rows of the tables that hold jobs, by table; empty if there are none.
std::string remaining_jobs(const test::sql_connection& sql) {
    return sql.query_text(
        "SELECT string_agg(t || ' ' || n, ', ') FROM (SELECT 'ready' AS t, count(*) AS n FROM {s}.ready"
        " UNION ALL SELECT 'pack', count(*) FROM {s}.pack UNION ALL SELECT 'lease', count(*) FROM {s}.lease"
        " UNION ALL SELECT 'deferred ' || kind::text, count(*) FROM {s}.deferred GROUP BY kind"
        " UNION ALL SELECT 'tracked', count(*) FROM {s}.tracked"
        " UNION ALL SELECT 'dependency', count(*) FROM {s}.dependency"
        " UNION ALL SELECT 'unique_key', count(*) FROM {s}.unique_key WHERE until IS NULL) c WHERE n > 0");
}
// Rows that are kept for a time are deleted after it.
std::string remaining_records(const scene& s) {
    const auto sql = s.sql();
    (void)sql.exec(
        "UPDATE {s}.outcome SET keep_until = now() - interval '1 second';"
        "UPDATE {s}.unique_key SET until = now() - interval '1 second';"
        "UPDATE {s}.failure SET failed_at = now() - interval '1 year'");
    auto session = s.driver().connect(pgq::session_role::monitor).value();
    const auto left = [&] {
        (void)session.expire_and_purge().value();
        return sql.query_text(
            "SELECT string_agg(t || ' ' || n, ', ') FROM (SELECT 'outcome' AS t, count(*) AS n FROM {s}.outcome"
            " UNION ALL SELECT 'unique_key', count(*) FROM {s}.unique_key"
            " UNION ALL SELECT 'failure', count(*) FROM {s}.failure"
            " UNION ALL SELECT 'worker', count(*) FROM {s}.worker"
            " UNION ALL SELECT 'claim_slot', greatest(count(*) - 4 * (SELECT count(*) FROM {s}.lane), 0)"
            " FROM {s}.claim_slot) c WHERE n > 0");
    };
    (void)test::eventually(30s, [&] { return left().empty(); });
    return left();
}

/// What the files of records say.
class findings {
public:
    explicit findings(const scene& s)
        : enqueued_{s.records("enqueued")}, began_{s.records("began")}, ended_{s.records("ended")} {
        for (const auto& r : ended_) {
            const auto [at, is_first] = first_end_.emplace(r.n, r.at);
            if (!is_first) at->second = std::min(at->second, r.at);
        }
        const auto sql = s.sql();
        const auto rows = sql.exec("SELECT id FROM {s}.outcome WHERE kind = 'e'");
        for (int i = 0; i < PQntuples(rows.get()); ++i) expired_.insert(std::atoll(PQgetvalue(rows.get(), i, 0)));
        const auto posts = sql.exec("SELECT n FROM {s}.posted");
        for (int i = 0; i < PQntuples(posts.get()); ++i) posted_.insert(std::atoll(PQgetvalue(posts.get(), i, 0)));
        kills_ = s.kills();
        restarts_ = s.restarts();
    }

    std::size_t jobs() const { return enqueued_.size(); }
    std::size_t repeated() const { return ended_.size() - first_end_.size(); }
    std::size_t expired() const { return expired_.size(); }
    /// Jobs whose enqueue was confirmed and that had no end.
    std::string lost() const {
        return some_of(enqueued_, [&](const record& r) {
            const auto what = static_cast<kind>(r.what);
            if (what == kind::is_cancelled || what == kind::may_run) return false;
            if (what == kind::is_posted && !posted_.contains(r.n)) return true;
            if (first_end_.contains(r.n)) return false;
            return what != kind::expires || !expired_.contains(r.id);
        });
    }
    std::string ran_although_cancelled() const {
        return some_of(enqueued_, [&](const record& r) {
            return static_cast<kind>(r.what) == kind::is_cancelled && first_end_.contains(r.n);
        });
    }
    std::string began_after_expiry() const {
        return some_of(began_, [](const record& r) { return static_cast<kind>(r.what) == kind::is_late; });
    }
    std::string began_before_parent() const {
        std::unordered_set<std::int64_t> children;
        for (const auto& r : enqueued_)
            if (static_cast<kind>(r.what) == kind::is_child) children.insert(r.n);
        return some_of(began_, [&](const record& r) {
            if (!children.contains(r.n)) return false;
            const auto parent = first_end_.find(r.n - 1);
            return parent == first_end_.end() || r.at < parent->second;
        });
    }
    /// How many `counted` jobs ran at once, at most. Leases count: a restart of the server may undo a claim that it had
    /// answered, and the job then runs again beside its former handler.
    int most_counted() const {
        std::unordered_map<std::int64_t, std::int64_t> last_begin;
        for (const auto& r : began_) {
            if (static_cast<kind>(r.what) != kind::is_counted) continue;
            auto& last = last_begin[r.n];
            last = std::max(last, r.at);
        }
        const auto lease_end = [&](const record& began, std::int64_t end) {
            if (last_begin.at(began.n) == began.at) return end;
            const auto restart = std::upper_bound(restarts_.begin(), restarts_.end(), began.at);
            return restart == restarts_.end() ? end : std::min(end, *restart);
        };
        std::vector<std::pair<std::int64_t, int>> changes;
        std::multimap<std::pair<std::int64_t, std::int32_t>, std::int64_t> ends;
        for (const auto& r : ended_)
            if (static_cast<kind>(r.what) == kind::is_counted) ends.emplace(std::pair{r.n, r.pid}, r.at);
        for (const auto& r : began_) {
            if (static_cast<kind>(r.what) != kind::is_counted) continue;
            changes.emplace_back(r.at, 1);
            const auto end = ends.find({r.n, r.pid});
            const auto killed = kills_.find(r.pid);
            if (end != ends.end()) {
                changes.emplace_back(lease_end(r, end->second), -1);
                ends.erase(end);
            } else if (killed != kills_.end()) changes.emplace_back(lease_end(r, killed->second), -1);
        }
        std::sort(changes.begin(), changes.end());
        int now = 0, most = 0;
        for (const auto& [at, change] : changes) most = std::max(most, now += change);
        return most;
    }
    /// How many `paced` jobs began in five seconds, at most.
    int most_paced() const {
        std::vector<std::int64_t> begins;
        for (const auto& r : began_)
            if (static_cast<kind>(r.what) == kind::is_paced) begins.push_back(r.at);
        std::sort(begins.begin(), begins.end());
        int most = 0;
        for (std::size_t first = 0, last = 0; last < begins.size(); ++last) {
            while (begins[last] - begins[first] > 5'000'000'000) ++first;
            most = std::max(most, static_cast<int>(last - first + 1));
        }
        return most;
    }

private:
    // "3, among them 17 (job 8)"; empty if there are none.
    template <class Rule>
    static std::string some_of(const std::vector<record>& all, Rule is_wrong) {
        std::size_t count = 0;
        std::string examples;
        for (const auto& r : all)
            if (is_wrong(r) && ++count <= 5)
                examples += " " + std::to_string(r.n) + " (job " + std::to_string(r.id) + ", kind " +
                            std::to_string(r.what) + ")";
        return count == 0 ? "" : std::to_string(count) + ", among them" + examples;
    }

    std::vector<record> enqueued_, began_, ended_;
    std::unordered_map<std::int64_t, std::int64_t> first_end_;
    std::unordered_set<std::int64_t> expired_, posted_;
    std::unordered_map<std::int32_t, std::int64_t> kills_;
    std::vector<std::int64_t> restarts_;
};

}  // namespace

TEST_CASE("no job of any feature is lost and no limit is exceeded under kills, stops, restarts and a broken network",
          "[stress][slow][alone][chaos]") {
    const auto wanted = static_cast<std::size_t>(setting("PGQ_CHAOS_JOBS", 20'000));
    const auto seed = static_cast<std::uint32_t>(setting("PGQ_CHAOS_SEED", std::random_device{}() % 100'000));
    INFO("PGQ_CHAOS_SEED=" << seed);
    std::mt19937 random{seed};
    scene s;
    REQUIRE(test::eventually([&] { return s.ended() > wanted / 20; }));
    const double before = s.rate(6s);

    const auto begun = steady::now();
    while (s.enqueued() < wanted && steady::now() - begun < 1h) {
        s.trouble(random);
        (void)test::always(1ms * (random() % 400), [] { return true; });
    }
    s.end_of_troubles();
    (void)test::always(2 * lease_time, [] { return true; });
    const double after = s.rate(6s);
    // The machine has other work, too: only what is slower than before and than later is the library's.
    const double usual = after >= 0.95 * before ? before : std::min(before, s.rate(6s));
    s.stop_producers();
    const auto sql = s.sql();
    (void)test::eventually(3min, [&] { return remaining_jobs(sql).empty(); });
    CHECK(remaining_jobs(sql) == "");
    s.stop_workers();

    const findings found{s};
    WARN(found.jobs() << " jobs, " << found.repeated() << " ended more than once, " << found.expired() << " expired; "
                      << s.troubles() << "; " << before << " jobs/s before, " << after << " after; at most "
                      << found.most_counted() << " of " << most_counted << " counted at once, " << found.most_paced()
                      << " paced jobs in 5 s; seed " << seed);
    CHECK(found.lost() == "");
    CHECK(found.ran_although_cancelled() == "");
    CHECK(found.began_after_expiry() == "");
    CHECK(found.began_before_parent() == "");
    CHECK(found.most_counted() <= most_counted);
    CHECK(found.most_paced() <= 5 * paced_rate * 102 / 100 + paced_rate);
    CHECK(remaining_records(s) == "");
    CHECK(after >= 0.95 * usual);
}

}  // namespace stress_chaos
