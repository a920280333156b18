#include <pgq/testing/laws/driver/fixture.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/leases.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace stress_tracked_load {

using namespace pgq;
using namespace std::chrono_literals;
using laws::must, laws::strings;
using session = driver::libpq::session;
using fixture = laws::driver_fixture<driver::libpq>;

namespace {

/// Collects the errors of the threads, each text once. It only counts deadlocks, after which a thread tries again.
class thread_errors {
public:
    template <class T>
    bool succeeded(const result<T>& r) {
        if (r) return true;
        const std::lock_guard lock{mutex_};
        if (r.error() == condition::contention) {
            ++contended_;
            return false;
        }
        ++count_;
        texts_.insert(r.error().text());
        return false;
    }
    std::string text() const {
        const std::lock_guard lock{mutex_};
        std::string out = std::to_string(count_);
        for (const auto& t : texts_) out += "\n" + t;
        return out;
    }
    int contended() const {
        const std::lock_guard lock{mutex_};
        return contended_;
    }
    bool none() const { return text() == "0"; }

private:
    mutable std::mutex mutex_{};
    int count_ = 0, contended_ = 0;
    std::set<std::string> texts_{};
};

/// A load of tracked jobs in one lane, from many concurrent sessions.
class load {
public:
    explicit load(const test::database& db) : db_{db}, fixture_{db.driver()}, lane_{fixture_.lane()} {}

    thread_errors& errors() { return errors_; }
    session client() { return fixture_.connect(session_role::client); }
    laws::test_worker<session> worker() { return fixture_.worker({lane_}); }

    /// Batches of jobs with few keys in any order. Parents are among the latest jobs and in the same call.
    void enqueue(session s, std::uint32_t seed, int rounds, bool keys, bool parents) {
        std::mt19937 random{seed};
        const on_duplicate all[]{on_duplicate::skip, on_duplicate::replace, on_duplicate::debounce};
        for (int round = 0; round < rounds; ++round) {
            const bodies b = fixture::packed({"a", "b", "c", "d"});
            strings names(b.size());
            std::vector<std::vector<job_id>> after(b.size());
            std::vector<enqueue_options> options(b.size());
            std::vector<edge> edges;
            for (std::size_t i = 0; i < b.size(); ++i) {
                names[i] = "k" + std::to_string(random() % 4);
                if (keys) options[i].unique_key = key(names[i], all[random() % 3], random() % 3);
                if (random() % 3 == 0) options[i].run_at = in(1ms * (random() % 5));
                if (!parents) continue;
                after[i] = {latest(random()), latest(random())};
                options[i].after = after[i];
                options[i].if_parent_fails =
                    std::array{parent_failure::run, parent_failure::hold, parent_failure::cancel}[random() % 3];
                if (i > 0) edges.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(random() % i)});
            }
            std::vector<enqueued_job> jobs;
            const auto put = s.enqueue_tracked(
                {.lanes = std::span{&lane_, 1}, .bodies = &b, .options = options, .edges = edges}, jobs);
            if (errors_.succeeded(put)) newest_ = std::max(newest_.load(), jobs.back().id.value);
        }
        --producers_;
    }
    /// Runs jobs until all is over, and lets a few of them fail.
    void work(laws::test_worker<session> p, std::uint32_t seed) {
        std::mt19937 random{seed};
        sync_reply got;
        while (!over_) {
            const bool well = p.try_exchange({.lanes = p.lanes, .limit = 3, .promote = true}, got);
            if (!well) {
                errors_.succeeded(result<void>{error_info{errc::protocol, "a claim failed"}});
                continue;
            }
            if (got.leases.empty()) (void)p.session.wait(1ms);
            for (const auto& l : got.leases) end(p, l, random);
        }
    }
    void cancel(session s, std::uint32_t seed) {
        std::mt19937 random{seed};
        while (producers_ > 0) {
            const std::vector ids{latest(random()), latest(random()), latest(random())};
            (void)errors_.succeeded(s.cancel(ids));
            (void)errors_.succeeded(s.expire_and_purge());
            (void)s.wait(1ms);
        }
    }
    void producers(int n) { producers_ = n; }
    bool produces() const { return producers_ > 0; }
    /// Whether only held jobs are left.
    bool is_drained() const {
        return db_.query_int(
                   "SELECT (SELECT count(*) FROM {s}.ready) + (SELECT count(*) FROM {s}.lease) + "
                   "(SELECT count(*) FROM {s}.deferred WHERE kind <> 'h')") == 0;
    }
    void finish() { over_ = true; }

private:
    static unique key(const std::string& name, on_duplicate then, std::size_t scope) {
        unique u{name};
        if (scope == 1) u = u.while_waiting();
        if (scope == 2) u = u.during(2ms);
        return then == on_duplicate::replace ? u.or_replace() : then == on_duplicate::debounce ? u.or_debounce() : u;
    }
    job_id latest(std::size_t any) const {
        return {std::max<std::int64_t>(1, newest_ - static_cast<std::int64_t>(any % 12))};
    }

    void end(laws::test_worker<session>& p, const claimed_lease& l, std::mt19937& random) {
        std::vector<settlement> items;
        std::string mask;
        for (const auto& j : l.jobs) {
            const auto luck = random() % 12;
            const auto kind = luck == 0   ? settle_kind::hold
                              : luck == 1 ? settle_kind::discard
                              : luck < 4  ? settle_kind::retry
                                          : settle_kind::done;
            items.push_back({.index = j.index, .kind = kind, .reason = "luck"});
            mask.resize(std::max(mask.size(), std::size_t{j.index} / 8 + 1));
            mask[j.index / 8] = static_cast<char>(mask[j.index / 8] | (1 << (j.index % 8)));
        }
        bool flagged = std::any_of(l.jobs.begin(), l.jobs.end(), [](const auto& j) { return j.flags != 0; });
        for (lease_ref ref = l.ref;;) {  // until it is acknowledged, wherever the lease has moved
            const lease_progress g{.ref = ref, .last = true, .mask = mask, .items = items, .flagged = flagged};
            sync_reply reply;
            const sync_request r{.worker = p.worker, .progressed = std::span{&g, 1}};
            const auto said = p.session.sync(r, reply);
            if (errors_.succeeded(said) && reply.lost.empty()) return;
            const auto now = p.session.lease_updates(p.worker);
            if (!errors_.succeeded(now)) continue;
            const auto here = std::find_if(now->begin(), now->end(), [&](const auto& n) { return n.ref.id == ref.id; });
            if (here == now->end()) return;
            ref = here->ref;
            flagged = !here->flags.empty();
        }
    }

    const test::database& db_;
    fixture fixture_;
    lane_id lane_;
    thread_errors errors_{};
    std::atomic<std::int64_t> newest_{1};
    std::atomic<int> producers_{0};
    std::atomic<bool> over_{false};
};

void run_load(bool keys, bool parents) {
    test::database db;
    load t{db};
    constexpr int producers = 3, rounds = 300;
    t.producers(producers);
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < 3; ++i)
        threads.emplace_back([&t, i, p = t.worker()]() mutable { t.work(std::move(p), i); });
    for (std::uint32_t i = 0; i < 2; ++i)
        threads.emplace_back([&t, i, s = t.client()]() mutable { t.cancel(std::move(s), i); });
    for (std::uint32_t i = 0; i < producers; ++i)
        threads.emplace_back(
            [&t, i, keys, parents, s = t.client()]() mutable { t.enqueue(std::move(s), i, rounds, keys, parents); });
    const auto deadline = std::chrono::steady_clock::now() + 5min;
    fixture clock{db.driver()};
    while ((t.produces() || !t.is_drained()) && std::chrono::steady_clock::now() < deadline)
        (void)must(clock.client().wait(20ms));
    t.finish();
    threads.clear();
    INFO(t.errors().text());
    const auto edges = [&](const std::string& which) {
        return db.query_text(
            "SELECT string_agg(d.parent || '>' || d.child, ' ' ORDER BY d.child) FROM {s}.dependency d" + which);
    };
    INFO("dependencies that are left: " << edges(""));
    INFO("... with ended parents: " << edges(" WHERE NOT EXISTS (SELECT FROM {s}.tracked t WHERE t.id = d.parent)"));
    INFO("... with held parents: " << edges(
             " WHERE EXISTS (SELECT FROM {s}.tracked t WHERE t.id = d.parent AND t.held)"));
    CHECK(t.errors().none());
    CHECK(t.errors().contended() < 20);
    CHECK(t.is_drained());
    CHECK(db.rows("dependency") == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.tracked WHERE NOT held") == 0);
    CHECK(db.query_int("SELECT count(*) FROM {s}.tracked WHERE held") == db.rows("deferred"));
    CHECK(db.query_int("SELECT count(*) FROM {s}.unique_key WHERE until IS NULL") == 0);
}

}  // namespace

TEST_CASE("keys that many callers take while their jobs run, fail and are cancelled are all free at the end",
          "[stress][tracked]") {
    run_load(true, false);
}

TEST_CASE("every child becomes ready, whatever the order of its enqueue, its parents' ends and cancels",
          "[stress][tracked]") {
    run_load(false, true);
}

TEST_CASE("keys and dependencies together leave no row behind", "[stress][tracked]") { run_load(true, true); }

TEST_CASE("a cancel reaches a running job even if its lease moves at that moment", "[stress][tracked]") {
    test::database db;
    fixture w{db.driver()};
    const auto lane = w.lane();
    auto p = w.worker({lane});
    constexpr std::uint32_t jobs = 40;
    for (int round = 0; round < 40; ++round) {
        const auto ids = w.enqueue(lane, strings(jobs, "x"));
        const auto got = p.claim(jobs);
        REQUIRE(got.claimed() == jobs);
        const auto last = std::find_if(got.leases[0].jobs.begin(), got.leases[0].jobs.end(), [&](const job_record& j) {
                              return j.id == ids.back();
                          })->index;
        std::atomic<bool> begun{false};
        bool accepted = true;
        std::jthread worker{[&] {
            lease_ref ref = got.leases[0].ref;
            std::string mask(jobs / 8, '\0'), left;  // left: what the lease has
            bool flagged = false;                    // true after it has seen flags, as in a worker
            for (std::uint32_t i = 0; i < jobs; ++i) {
                if (i == last) continue;
                mask[i / 8] = static_cast<char>(mask[i / 8] | (1 << (i % 8)));
                for (bool said = false; accepted && !said;) {
                    const lease_progress g{.ref = ref, .left = left, .mask = mask, .flagged = flagged};
                    sync_reply reply;
                    accepted = p.try_exchange({.progressed = std::span{&g, 1}}, reply);
                    said = accepted && reply.lost.empty();
                    begun = true;
                    if (said) ref = reply.moved.at(0), left = mask;
                    else if (auto now = p.session.lease_updates(p.worker); now && !now->empty()) {
                        ref = now->front().ref;
                        flagged = flagged || !now->front().flags.empty();
                    }
                }
            }
        }};
        while (!begun) std::this_thread::yield();
        for (std::uint32_t spin = 0; spin < static_cast<std::uint32_t>(round) * 50; ++spin) std::this_thread::yield();
        const auto reply = must(w.client().cancel(std::span{&ids.back(), 1}));
        worker.join();
        CHECK(accepted);
        CHECK(reply == cancel_reply{.stopping = 1});
        must(p.session.give_back(test::leases_of(p.session, p.worker)));
        CHECK(w.counts(lane) == lane_counts{});
    }
}

}  // namespace stress_tracked_load
