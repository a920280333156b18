#pragma once

#include <pgq/compose/settings.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/testing/simulation/driver.hpp>
#include <pgq/testing/simulation/executor.hpp>
#include <pgq/testing/simulation/process.hpp>

#include "contract.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace simulated {

/// A job that fails so many times, and takes so many milliseconds each time.
struct step {
    static constexpr std::string_view entrypoint = "step";
    int fails = 0;
    int takes = 0;
};
/// In a lane with a limit.
struct narrow {
    static constexpr std::string_view entrypoint = "narrow";
    int fails = 0;
    int takes = 0;
};
struct once {
    static constexpr std::string_view entrypoint = "once";
    int fails = 0;
};
/// Enqueues an `effect` in the transaction that ends it.
struct cause {
    static constexpr std::string_view entrypoint = "cause";
    int fails = 0;
};
struct effect {
    static constexpr std::string_view entrypoint = "effect";
    std::int64_t of = 0;
};
/// Enqueued by the schedulers.
using tick = pgq::tick<"tick">;
/// Always fails, and then succeeds in the queue "dead".
struct doomed {
    static constexpr std::string_view entrypoint = "doomed";
    int takes = 0;
};

}  // namespace simulated

BOOST_HANA_ADAPT_STRUCT(simulated::step, fails, takes);
BOOST_HANA_ADAPT_STRUCT(simulated::narrow, fails, takes);
BOOST_HANA_ADAPT_STRUCT(simulated::once, fails);
BOOST_HANA_ADAPT_STRUCT(simulated::cause, fails);
BOOST_HANA_ADAPT_STRUCT(simulated::effect, of);
BOOST_HANA_ADAPT_STRUCT(simulated::doomed, takes);

namespace simulated {

using queue =
    pgq::queue<step, pgq::job<narrow, pgq::limiter::global_concurrency<2>>, pgq::job<once, pgq::delivery::at_most_once>,
               cause, effect, tick, pgq::job<doomed, pgq::attempts<2>>, pgq::simulation::driver, pgq::serializer::json,
               pgq::simulation::executor>;
/// The queue "dead" with what it serves.
using dead_queue = pgq::queue<doomed, pgq::simulation::driver, pgq::serializer::json, pgq::simulation::executor>;

/// What the handlers of one process have in common.
struct handler {
    test::contract* held_to;
    std::shared_ptr<pgq::simulation::process> where;

    asio::awaitable<void> take_time(pgq::context& c, int takes, int fails, bool start_over = false) const {
        const auto run = held_to->began(*where, c.id(), c.attempt(), c.stop_token(), start_over);
        co_await where->sleep(std::chrono::milliseconds{takes});
        end(run, c.attempt() <= fails);
    }
    void end(std::size_t run, bool fails) const {
        held_to->ended(run, !fails);
        if (fails) throw std::runtime_error{"as planned"};
    }
};
struct step_handler : handler {
    asio::awaitable<void> operator()(const step& j, pgq::context& c) const { return take_time(c, j.takes, j.fails); }
};
struct narrow_handler : handler {
    asio::awaitable<void> operator()(const narrow& j, pgq::context& c) const { return take_time(c, j.takes, j.fails); }
};
struct once_handler : handler {
    void operator()(const once& j, pgq::context& c) const {
        end(held_to->began(*where, c.id(), c.attempt(), c.stop_token()), c.attempt() <= j.fails);
    }
};
struct cause_handler : handler {
    void operator()(const cause& j, pgq::context& c, pgq::transaction<queue>& tx) const {
        const auto run = held_to->began(*where, c.id(), c.attempt(), c.stop_token());
        const bool stored = tx.enqueue(effect{c.id().value}).has_value();
        end(run, !stored || c.attempt() <= j.fails);
    }
};
struct effect_handler : handler {
    void operator()(const effect& j, pgq::context& c) const {
        held_to->effect_began(j.of, c.id());
        end(held_to->began(*where, c.id(), c.attempt(), c.stop_token()), false);
    }
};
struct tick_handler : handler {
    void operator()(const tick&, pgq::context& c) const {
        held_to->ticked(*c.scheduled_at(), c.id());
        end(held_to->began(*where, c.id(), c.attempt(), c.stop_token()), false);
    }
};
struct doomed_handler : handler {
    asio::awaitable<void> operator()(const doomed& j, pgq::context& c) const {
        return take_time(c, j.takes, c.attempt());
    }
};
struct dead_handler : handler {
    asio::awaitable<void> operator()(const doomed& j, pgq::context& c) const { return take_time(c, j.takes, 0, true); }
};

}  // namespace simulated
