#include <pgq/driver/asio_libpq.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/eventually.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace integration_any_driver {

using namespace std::chrono_literals;

namespace shop {

struct order {
    static constexpr std::string_view entrypoint = "order";
    std::int64_t number = 0;
    std::vector<std::string> items{};
};
struct receipt {
    static constexpr std::string_view entrypoint = "receipt";
    std::int64_t order = 0;
};

/// The application's queue. The tests below differ only in one argument: the driver.
template <class Driver>
using queue = pgq::queue<pgq::job<order, pgq::backoff::none>, receipt, Driver, pgq::serializer::json,
                         pgq::executor::thread_pool, pgq::observer::counters>;

}  // namespace shop

}  // namespace integration_any_driver

BOOST_HANA_ADAPT_STRUCT(integration_any_driver::shop::order, number, items);
BOOST_HANA_ADAPT_STRUCT(integration_any_driver::shop::receipt, order);

namespace integration_any_driver {

namespace {

namespace driver = pgq::driver;

/// Where the jobs of a test are stored. Makes a driver of each kind.
class place {
public:
    template <class Driver>
    Driver make() {
        if constexpr (std::is_same_v<Driver, driver::memory>) return driver::memory{};
        else if constexpr (std::is_same_v<Driver, driver::libpq>) return database().driver();
        else if constexpr (std::is_same_v<Driver, driver::asio_libpq>)
            return driver::asio_libpq{context().executor(), database().options()};
        else return Driver{make<std::remove_cvref_t<decltype(std::declval<Driver>().inner())>>(), {.max = 3}};
    }

private:
    test::database& database() {
        if (!database_) database_.emplace();
        return *database_;
    }
    test::running_context& context() {
        if (!context_) context_.emplace(2);
        return *context_;
    }

    std::optional<test::database> database_;
    std::optional<test::running_context> context_;
};

/// Handles orders and receipts, and fails for some of them.
template <class Queue>
class shop_floor {
public:
    explicit shop_floor(Queue& jobs) : jobs_{&jobs} {}

    /// Runs a worker until the shop has written this many receipts and has no jobs but held ones.
    bool work_until(std::size_t count) {
        std::stop_source stop;
        pgq::worker w{*jobs_,
                      {.max_attempts = 3},
                      [this](const shop::order& o, pgq::context& c) { return fill(o, c); },
                      [this](const shop::receipt& r) { note(r); }};
        std::thread running{[&] { w.run(stop.get_token()).value(); }};
        const bool done = test::eventually([&] { return receipts().size() >= count && is_idle(); });
        stop.request_stop();
        running.join();
        return done;
    }

    std::multiset<std::int64_t> receipts() {
        const std::lock_guard lock{mutex_};
        return receipts_;
    }

private:
    pgq::outcome fill(const shop::order& o, pgq::context& c) {
        if (o.items.empty()) throw std::invalid_argument{"an order of nothing"};
        if (o.items[0] == "late" && c.attempt() == 1) throw std::runtime_error{"out of stock"};
        if (o.items[0] == "void") return pgq::discard{"cancelled by phone"};
        jobs_->enqueue(shop::receipt{o.number}, {.priority = 9}).value();
        return pgq::done{};
    }
    bool is_idle() {
        const auto orders = jobs_->template counts<shop::order>().value();
        const auto all = jobs_->template counts<shop::receipt>().value();
        return orders.ready + orders.deferred + orders.leased + all.ready + all.deferred + all.leased == 0;
    }
    void note(const shop::receipt& r) {
        const std::lock_guard lock{mutex_};
        receipts_.insert(r.order);
    }

    Queue* jobs_;
    std::mutex mutex_;
    std::multiset<std::int64_t> receipts_;
};

}  // namespace

TEMPLATE_TEST_CASE("one application runs over any driver", "[driver][pool][memory][libpq][asio_libpq]", driver::memory,
                   driver::libpq, driver::asio_libpq, driver::pool<driver::memory>, driver::pool<driver::libpq>,
                   driver::pool<driver::asio_libpq>) {
    using jobs_queue = shop::queue<TestType>;
    place where;
    jobs_queue jobs{where.make<TestType>(), {.name = "shop"}};
    jobs.install().value();

    SECTION("several threads run orders, and each order ends as its handler returned") {
        std::vector<shop::order> good;
        for (std::int64_t n = 1; n <= 20; ++n) good.push_back({n, {"book"}});
        CHECK(jobs.enqueue(good).value().size() == 20);
        jobs.enqueue(shop::order{21, {"late"}}).value();
        jobs.enqueue(shop::order{22, {"void"}}).value();
        jobs.enqueue(shop::order{23, {}}).value();
        const auto soon = jobs.enqueue(shop::order{24, {"book"}}, {.run_at = pgq::in(50ms)}).value();
        const auto never = jobs.enqueue(shop::order{25, {"book"}}, {.run_at = pgq::in(1h)}).value();
        CHECK(soon < never);
        CHECK(jobs.cancel(never).value().removed == 1);

        shop_floor shop{jobs};
        CHECK(shop.work_until(22));

        std::multiset<std::int64_t> expected{21, 24};
        for (std::int64_t n = 1; n <= 20; ++n) expected.insert(n);
        CHECK(shop.receipts() == expected);
        const auto seen = jobs.observer().snapshot();
        CHECK(seen.of("order").of(pgq::outcome::kind::discard) == 1);
        CHECK(seen.of("order").of(pgq::outcome::kind::done) == 22);
        CHECK(seen.of("receipt").of(pgq::outcome::kind::done) == 22);

        const auto held = jobs.template held<shop::order>().value();
        REQUIRE(held.size() == 1);
        CHECK(held[0].attempts == 3);
        CHECK(held[0].reason.find("an order of nothing") != std::string::npos);
        CHECK(jobs.requeue(held[0].id).value() == 1);
        CHECK(shop.work_until(22));
        CHECK(jobs.template counts<shop::order>().value() == pgq::lane_counts{.held = 1});
        CHECK(jobs.template counts<shop::receipt>().value() == pgq::lane_counts{});
    }
    SECTION("threads enqueue through one queue while a worker runs, and no job is lost or done twice") {
        std::atomic<int> refused{0};
        std::vector<std::thread> threads;
        for (std::int64_t t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (std::int64_t i = 0; i < 25; ++i)
                    if (!jobs.enqueue(shop::receipt{t * 100 + i})) ++refused;
            });
        shop_floor shop{jobs};
        const bool all_done = shop.work_until(100);
        for (auto& t : threads) t.join();
        CHECK(all_done);
        std::multiset<std::int64_t> expected;
        for (std::int64_t t = 0; t < 4; ++t)
            for (std::int64_t i = 0; i < 25; ++i) expected.insert(t * 100 + i);
        CHECK(refused == 0);
        CHECK(shop.receipts() == expected);
    }
    SECTION("a queue with another name shares nothing with it") {
        jobs_queue other{jobs.driver(), {.name = "another shop"}};
        jobs.enqueue(shop::receipt{1}).value();
        CHECK(other.template counts<shop::receipt>().value() == pgq::lane_counts{});
        CHECK(jobs.template counts<shop::receipt>().value() == pgq::lane_counts{.ready = 1});
    }
}

}  // namespace integration_any_driver
