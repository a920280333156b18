// A streaming standby takes over from its primary under load. Producers and a worker name both hosts.

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>
#include <support/own_server.hpp>
#include <support/proxy.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

namespace stress_failover {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;
using test::note;

namespace {

constexpr auto response_timeout = 2s;
constexpr int connect_timeout = 2;  // seconds

/// A primary behind a proxy, and its standby.
class pair_of_servers {
public:
    explicit pair_of_servers(bool synchronous) {
        if (synchronous) primary.set("synchronous_standby_names = 'standby'\n");
        const auto wanted = synchronous ? "sync" : "async";
        REQUIRE(test::eventually([&] {
            return test::sql_connection{primary.conninfo(), "public"}.query_text(
                       "SELECT sync_state FROM pg_stat_replication") == wanted;
        }));
    }
    pgq::driver::connection_options options() const {
        return {.conninfo = "host=127.0.0.1,127.0.0.1 port=" + network.port() + "," + standby.port() +
                            " user=pgq dbname=postgres options='-c client_min_messages=error'"
                            " target_session_attrs=read-write sslmode=disable"
                            " gssencmode=disable connect_timeout=" +
                            std::to_string(connect_timeout),
                .schema = "failover",
                .response_timeout = response_timeout};
    }

    test::own_server primary{};
    test::proxy network{primary.conninfo()};      // between clients and the primary
    test::proxy replication{primary.conninfo()};  // between the servers
    test::own_server standby{replication.conninfo(primary.conninfo()), "standby", ""};
};

/// Numbers of jobs, from any thread.
class numbers {
public:
    void add(const std::vector<note>& some) {
        const std::lock_guard lock{mutex_};
        for (const auto& n : some) all_.insert(n.n);
    }
    bool has(std::int64_t n) const {
        const std::lock_guard lock{mutex_};
        return all_.contains(n);
    }
    std::size_t size() const {
        const std::lock_guard lock{mutex_};
        return all_.size();
    }
    std::size_t count_missing_in(const numbers& other) const {
        const std::lock_guard lock{mutex_};
        return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [&](auto n) { return !other.has(n); }));
    }

private:
    mutable std::mutex mutex_;
    std::unordered_set<std::int64_t> all_;
};

/// Two producers and a worker.
class load {
public:
    explicit load(const pgq::driver::connection_options& o)
        : driver_{o}, jobs_{driver_, {}, pgq::executor::thread_pool{4}} {
        jobs_.install().value();
        worker_.emplace(jobs_, pgq::worker_options{.lease_time = 3s}, handler{this});
        for (int i = 0; i < 2; ++i)
            producers_.emplace_back([this](const std::stop_token& stop) {
                test::note_queue<> mine{driver_};
                while (!stop.stop_requested()) {
                    std::vector<note> some;
                    for (int n = 0; n < 5; ++n) some.push_back({.n = next_++});
                    if (mine.enqueue(some)) confirmed_.add(some);
                    (void)test::always(2ms, [] { return true; });
                }
            });
    }
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    void stop_producers() { producers_.clear(); }
    pgq::result<void> stop_worker() { return worker_->stop(); }
    const numbers& confirmed() const noexcept { return confirmed_; }
    const numbers& handled() const noexcept { return handled_; }
    void pause_worker(bool paused) { paused_ = paused; }
    /// Waits until a job runs that was enqueued after this call, and says how long after `since` that was.
    std::chrono::milliseconds next_handled(steady::time_point since) {
        const std::int64_t from = next_;
        REQUIRE(test::eventually([&] { return newest_ >= from; }));
        return std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - since);
    }

private:
    struct handler {
        load* to;
        void operator()(const note& n) const {
            (void)test::eventually([this] { return !to->paused_; });
            to->handled_.add({n});
            for (auto seen = to->newest_.load(); seen < n.n && !to->newest_.compare_exchange_weak(seen, n.n);) {}
        }
    };

    pgq::driver::libpq driver_;
    std::atomic<std::int64_t> next_{0}, newest_{-1};
    std::atomic<bool> paused_{false};
    numbers confirmed_, handled_;
    test::note_queue<> jobs_;
    std::optional<test::running_worker<test::note_queue<>, handler>> worker_;
    std::vector<std::jthread> producers_;
};

enum class disaster { killed, frozen, cut_off };

const char* name_of(disaster d) {
    return d == disaster::killed ? "killed" : d == disaster::frozen ? "frozen" : "cut off";
}

void strike(pair_of_servers& servers, disaster what) {
    switch (what) {
    case disaster::killed: servers.primary.kill(); return servers.network.go_down();
    case disaster::frozen: return servers.primary.freeze();
    case disaster::cut_off: servers.replication.freeze_host(); return servers.network.freeze_host();
    }
}

std::int64_t waiting_jobs(const pair_of_servers& servers) {
    return test::sql_connection{servers.standby.conninfo(), "failover"}.query_int(
        "SELECT (SELECT count(*) FROM {s}.ready) + (SELECT count(*) FROM {s}.lease) + "
        "(SELECT count(*) FROM {s}.deferred)");
}

struct figures {
    std::size_t confirmed = 0, lost = 0;
    std::chrono::milliseconds promotion{}, until_handled{};
};

figures fail_over(bool synchronous, disaster what, bool standby_lags) {
    pair_of_servers servers{synchronous};
    load work{servers.options()};
    REQUIRE(test::eventually([&] { return work.handled().size() > 500; }));
    if (standby_lags) {
        // What is confirmed now does not reach the standby.
        servers.replication.freeze_host();
        work.pause_worker(true);
        const auto before = work.confirmed().size();
        REQUIRE(test::eventually([&] { return work.confirmed().size() > before + 200; }));
    }
    const auto struck = steady::now();
    strike(servers, what);
    work.pause_worker(false);
    const auto promoting = steady::now();
    servers.standby.promote();
    figures f;
    f.promotion = std::chrono::duration_cast<std::chrono::milliseconds>(steady::now() - promoting);
    f.until_handled = work.next_handled(struck);
    REQUIRE(test::eventually([&, now = work.handled().size()] { return work.handled().size() > now + 500; }));
    work.stop_producers();
    CHECK(test::eventually([&] { return waiting_jobs(servers) == 0; }));
    CHECK(work.stop_worker().has_value());
    f.confirmed = work.confirmed().size();
    f.lost = work.confirmed().count_missing_in(work.handled());
    WARN((synchronous ? "sync" : "async")
         << ", primary " << name_of(what) << ": " << f.confirmed << " confirmed, " << f.lost << " lost; promotion took "
         << f.promotion.count() << " ms, jobs were handled again after " << f.until_handled.count() << " ms");
    return f;
}

}  // namespace

TEST_CASE("when a synchronous standby takes over, no confirmed job is lost, and jobs run again in time",
          "[stress][slow][alone][failover]") {
    const auto what = GENERATE(disaster::killed, disaster::frozen, disaster::cut_off);
    INFO(name_of(what));
    const auto f = fail_over(true, what, false);
    CHECK(f.lost == 0);
    // A primary that was killed refuses connections; one that is silent is noticed after response_timeout.
    const auto noticed = what == disaster::killed ? 0s : response_timeout;
    CHECK(f.until_handled < noticed + std::chrono::seconds{connect_timeout} + f.promotion + 1s);
}

TEST_CASE("when an asynchronous standby takes over, the jobs that it did not have are lost, and jobs run again",
          "[stress][slow][alone][failover]") {
    const auto f = fail_over(false, disaster::killed, true);
    CHECK(f.lost > 0);
    CHECK(f.lost < f.confirmed);
}

TEST_CASE("an enqueue is not confirmed while the synchronous standby is away, and the jobs are there",
          "[stress][slow][failover]") {
    const pair_of_servers servers{true};
    test::note_queue<> jobs{pgq::driver::libpq{servers.options()}};
    jobs.install().value();
    (void)jobs.enqueue(note{.n = 1}).value();
    servers.standby.freeze();
    const auto many = GENERATE(1, 10, 6000);
    const auto begun = steady::now();
    const auto said = jobs.enqueue(test::notes(many));
    REQUIRE_FALSE(said);
    INFO(said.error().text());
    CHECK(said.error() == pgq::errc::connection_lost);
    CHECK(steady::now() - begun < response_timeout + 1s);
    const auto one = jobs.transaction([](auto& tx) { (void)tx.enqueue(note{.n = 2}).value(); });
    REQUIRE_FALSE(one);
    CHECK(one.error() == pgq::errc::connection_lost);

    // A request id that is found is no confirmation while the standby does not have it.
    const auto repeat = [&] { return jobs.enqueue(test::notes(many), {.request_id = "r"}); };
    for (int i = 0; i < 2; ++i) {
        const auto found = repeat();
        REQUIRE_FALSE(found);
        CHECK(found.error() == pgq::errc::connection_lost);
    }

    servers.standby.thaw();
    const test::sql_connection sql{servers.primary.conninfo(), "failover"};
    CHECK(test::eventually([&] { return repeat().has_value(); }));
    CHECK(test::eventually([&] { return sql.query_int("SELECT count(*) FROM {s}.ready") == 2 * many + 2; }));
    CHECK(test::eventually([&] { return jobs.enqueue(note{.n = 3}).has_value(); }));
}

}  // namespace stress_failover
