#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/raw.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace unit_driver_pool {

using namespace pgq;
using namespace std::chrono_literals;
using driver::pool_options;

namespace {

/// The state that the sessions of a driver under test share: their number, and their faults.
struct shared_state {
    std::atomic<int> opened{0};
    std::atomic<int> alive{0};
    std::atomic<int> questions{0};
    std::atomic<bool> refuses{false};   // connect fails
    std::atomic<bool> all_dead{false};  // usable() returns false
    std::atomic<bool> silent{false};    // questions get no answer
};

/// A session in memory that can break.
class breakable_session : public driver::memory::session {
public:
    breakable_session(driver::memory::session s, std::shared_ptr<shared_state> w)
        : driver::memory::session{std::move(s)}, shared_{w.get(), [w](shared_state* alive) { --alive->alive; }} {
        ++shared_->opened;
        ++shared_->alive;
    }

    bool usable() noexcept { return !shared_->all_dead; }
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit) {
        ++shared_->questions;
        if (shared_->silent) return errc::connection_lost;
        return driver::memory::session::held(lane, limit);
    }
    result<void> enqueue(const enqueue_request& r, std::vector<job_id>& ids) {
        if (shared_->all_dead) return errc::connection_lost;
        return driver::memory::session::enqueue(r, ids);
    }

private:
    std::shared_ptr<shared_state> shared_;
};

class breakable {
public:
    using policy_category = driver_tag;
    using session = breakable_session;

    result<session> connect(session_role role) const {
        if (shared_->refuses) return error_info{errc::connection_lost, "refused"};
        auto inner = store_.connect(role);
        if (!inner) return inner.error();
        return session{std::move(*inner), shared_};
    }
    result<void> install() const { return {}; }
    shared_state& state() const { return *shared_; }

private:
    driver::memory store_;
    std::shared_ptr<shared_state> shared_ = std::make_shared<shared_state>();
};

using pool = driver::pool<breakable>;

static_assert(lending_driver<pool> && lending_driver<driver::pool<driver::memory>>);
static_assert(!lending_driver<driver::memory> && !async_driver<driver::pool<driver::memory>>);
static_assert(!lending_driver<driver::pool<driver::memory>::session>);

struct note {
    static constexpr std::string_view entrypoint = "note";
    std::string text{};
};

pool::loan borrowed(const pool& p) { return p.borrow().value(); }

}  // namespace

}  // namespace unit_driver_pool

BOOST_HANA_ADAPT_STRUCT(unit_driver_pool::note, text);

namespace unit_driver_pool {

TEST_CASE("a pool opens a session only if none is idle", "[driver][pool]") {
    const breakable inner;
    const pool p{inner, {.max = 3}};
    CHECK(inner.state().opened == 0);
    {
        const auto a = borrowed(p), b = borrowed(p);
        CHECK(&a.get() != &b.get());
        CHECK(inner.state().opened == 2);
        CHECK(p.counts().lent == 2);
    }
    CHECK(p.counts().idle == 2);
    for (int i = 0; i < 5; ++i) (void)borrowed(p);
    CHECK(inner.state().opened == 2);
    CHECK(inner.state().questions == 0);
}

TEST_CASE("a caller of an exhausted pool gets an error with a remedy at its timeout", "[driver][pool]") {
    const pool p{{}, {.max = 2, .wait = 30ms}};
    const auto a = borrowed(p), b = borrowed(p);
    const auto begin = std::chrono::steady_clock::now();
    const auto none = p.borrow();
    const auto took = std::chrono::steady_clock::now() - begin;
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error() == errc::timeout);
    CHECK(none.error().message == "all 2 sessions of the pool were in use for 30 ms");
    CHECK(none.error().hint.find("pool_options::max") != std::string::npos);
    CHECK(took >= 30ms);
    CHECK(took < test::test_timeout);
    CHECK(p.counts().waiting == 0);
}

TEST_CASE("waiting callers get returned sessions in the order of their calls", "[driver][pool]") {
    const pool p{{}, {.max = 1, .wait = test::test_timeout}};
    std::optional<pool::loan> held{borrowed(p)};
    std::mutex mutex;
    std::vector<std::size_t> order;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] {
            const auto mine = p.borrow();
            const std::lock_guard lock{mutex};
            order.push_back(mine ? i : 99);
        });
        REQUIRE(test::eventually([&] { return p.counts().waiting == i + 1; }));
    }
    held.reset();
    for (auto& t : threads) t.join();
    CHECK(order == std::vector<std::size_t>{0, 1, 2, 3});
    CHECK(p.inner().state().opened == 1);
}

TEST_CASE("a pool closes a discarded session, and opens another one for the waiting caller", "[driver][pool]") {
    const pool p{{}, {.max = 1, .wait = test::test_timeout}};
    std::optional<pool::loan> held{borrowed(p)};
    std::thread waiting{[&] { (void)p.borrow().value(); }};
    REQUIRE(test::eventually([&] { return p.counts().waiting == 1; }));
    held->discard();
    held.reset();
    waiting.join();
    CHECK(p.inner().state().opened == 2);
    CHECK(p.inner().state().alive == 1);
}

TEST_CASE("a pool replaces a session that broke while it was idle", "[driver][pool]") {
    const pool p;
    (void)borrowed(p);
    p.inner().state().all_dead = true;
    (void)borrowed(p);
    CHECK(p.inner().state().opened == 2);
    CHECK(p.inner().state().alive == 1);
}

TEST_CASE("a session that was idle for long must answer a question before it is lent, or is replaced",
          "[driver][pool]") {
    const pool p{{}, {.min = 1, .max_idle = 0s}};
    auto& state = p.inner().state();
    (void)borrowed(p);
    (void)borrowed(p);
    CHECK(state.questions == 1);
    CHECK(state.opened == 1);
    state.silent = true;
    (void)borrowed(p);
    CHECK(state.opened == 2);
    CHECK(state.alive == 1);
}

TEST_CASE("a pool closes sessions that were idle for long, down to the minimum", "[driver][pool]") {
    const pool p{{}, {.min = 1, .max = 3, .max_idle = 0s}};
    auto& state = p.inner().state();
    { const auto a = borrowed(p), b = borrowed(p), c = borrowed(p); }
    CHECK(state.alive == 3);
    (void)borrowed(p);
    CHECK(state.alive == 1);
    CHECK(state.opened == 3);
}

TEST_CASE("a pool that cannot connect tells each caller why, and recovers", "[driver][pool]") {
    const pool p{{}, {.max = 1, .wait = 30ms}};
    p.inner().state().refuses = true;
    for (int i = 0; i < 3; ++i) CHECK(p.borrow().error().message == "refused");
    CHECK(p.counts().lent == 0);
    p.inner().state().refuses = false;
    CHECK(p.borrow().has_value());
}

TEST_CASE("open() opens the minimum number of sessions", "[driver][pool]") {
    const pool p{{}, {.min = 2, .max = 3}};
    CHECK(p.open().has_value());
    CHECK(p.counts().idle == 2);
    p.inner().state().refuses = true;
    CHECK(p.open().has_value());
    CHECK_FALSE((pool{p.inner(), {.min = 1}}.open().has_value()));
}

TEST_CASE("a pool with impossible options lends no session and returns an error", "[driver][pool]") {
    const auto options = GENERATE(pool_options{.max = 0}, pool_options{.min = 5, .max = 4}, pool_options{.max = 10'001},
                                  pool_options{.wait = -1s}, pool_options{.max_idle = -1s});
    const auto none = pool{{}, options}.borrow();
    REQUIRE_FALSE(none.has_value());
    CHECK(none.error() == errc::invalid_option);
}

TEST_CASE("sessions live until the last copy of the pool and the last loan are destroyed", "[driver][pool]") {
    const breakable inner;
    std::optional<pool::loan> held;
    {
        const pool p{inner};
        const pool copy = p;
        held.emplace(borrowed(copy));
        (void)borrowed(p);
        CHECK(p.counts().lent == 1);
        CHECK(inner.state().alive == 2);
    }
    CHECK(inner.state().alive == 2);
    held.reset();
    CHECK(inner.state().alive == 0);
}

TEST_CASE("worker sessions come from the inner driver, and do not count in the pool", "[driver][pool]") {
    const pool p{{}, {.max = 1, .wait = 0s}};
    const auto held = borrowed(p);
    CHECK(p.connect(session_role::worker).has_value());
    CHECK(p.connect(session_role::monitor).has_value());
    CHECK(p.borrow().error() == errc::timeout);
}

TEST_CASE("several threads of one queue enqueue at once, each over a session of the pool", "[driver][pool]") {
    using jobs_queue = queue<note, pool, serializer::raw>;
    const pool p{{}, {.max = 3, .wait = test::test_timeout}};
    jobs_queue jobs{p};
    std::atomic<int> failed{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 100; ++i)
                if (!jobs.enqueue(note{"x"})) ++failed;
        });
    for (auto& t : threads) t.join();
    CHECK(failed == 0);
    CHECK(jobs.counts<note>().value().ready == 800);
    CHECK(p.counts().lent == 0);
    CHECK(p.inner().state().opened <= 3);
}

TEST_CASE("a queue returns a session that broke in a call, and the next call gets another", "[driver][pool]") {
    using jobs_queue = queue<note, pool, serializer::raw>;
    const pool p;
    jobs_queue jobs{p};
    jobs.enqueue(note{"x"}).value();
    {
        const auto before = borrowed(p);  // so that the queue must open a session, which then breaks in the call
        p.inner().state().all_dead = true;
        CHECK(jobs.enqueue(note{"x"}).error() == errc::connection_lost);
    }
    CHECK(p.inner().state().opened == 2);
    p.inner().state().all_dead = false;
    CHECK(p.inner().state().alive == 1);
    CHECK(jobs.enqueue(note{"x"}).has_value());
}

}  // namespace unit_driver_pool
