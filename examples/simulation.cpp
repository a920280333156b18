// run:
// Runs handlers in simulated time: in each of a thousand schedules a worker crashes at another moment, and another
// worker takes its jobs over.

#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/testing/simulation.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

namespace app {

struct transfer {
    static constexpr std::string_view entrypoint = "transfer";
    std::string from{}, to{};
    int amount = 0;
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::transfer, from, to, amount);

namespace {

using queue = pgq::queue<app::transfer, pgq::simulation::driver, pgq::serializer::json, pgq::simulation::executor>;

// The accounts of the program, and the transfers that were made. It survives a crash of a worker, as a database would.
struct bank {
    std::map<std::string, int> accounts{};
    std::map<std::int64_t, bool> made{};
};

// A transfer may begin twice: its id says whether it was made. Between its two steps the worker may crash.
struct make_transfer {
    bank* with;
    std::shared_ptr<pgq::simulation::process> where;

    asio::awaitable<void> operator()(const app::transfer& t, pgq::context& c) const {
        co_await where->sleep(300ms);  // it asks another service
        bool& made = with->made[c.id().value];
        if (made) co_return;
        made = true;
        with->accounts[t.from] -= t.amount;
        with->accounts[t.to] += t.amount;
        co_await where->sleep(100ms);
    }
};

struct site {
    site(pgq::simulation::world& world, const pgq::driver::memory& database, const std::string& name, bank& with)
        : where{std::make_shared<pgq::simulation::process>(world, name)},
          jobs{pgq::simulation::driver{database, where}, {}, pgq::simulation::executor{where}},
          worker{where, jobs, {.lease_time = 5s}, make_transfer{&with, where}} {}

    std::shared_ptr<pgq::simulation::process> where;
    queue jobs;
    pgq::simulation::worker<queue, make_transfer> worker;
};

bool loses_no_money(std::uint64_t seed) {
    pgq::simulation::world world{seed};
    const auto database = pgq::driver::memory::with_clock(world.clock());
    bank b;
    site first{world, database, "first", b}, second{world, database, "second", b};
    first.worker.start();
    second.worker.start();
    for (int i = 0; i < 10; ++i) first.jobs.enqueue(app::transfer{"ada", "grace", 10}).value();
    world.after(world.between(0s, 2s), [&] { first.worker.crash(); });
    world.run_for(1min);
    const bool right = b.accounts["ada"] == -100 && b.accounts["grace"] == 100;
    const bool empty = second.jobs.counts<app::transfer>().value().leased == 0;
    world.forget_events();  // before its workers end
    return right && empty;
}

}  // namespace

int main() {
    for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
        if (loses_no_money(seed)) continue;
        std::printf("the accounts are wrong after seed %llu\n", static_cast<unsigned long long>(seed));
        return 1;
    }
    std::puts("1000 schedules, and the accounts are right after each");
}
