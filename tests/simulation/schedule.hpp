#pragma once

#include <pgq/executor/coroutine.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/testing/simulation/driver.hpp>
#include <pgq/testing/simulation/executor.hpp>
#include <pgq/testing/simulation/worker.hpp>

#include "contract.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace simulated {

/// A job that fails so many times, and takes so many milliseconds each time.
struct step {
    static constexpr std::string_view entrypoint = "step";
    int fails = 0;
    int takes = 0;
};
struct narrow {
    static constexpr std::string_view entrypoint = "narrow";
    int fails = 0;
    int takes = 0;
};

}  // namespace simulated

BOOST_HANA_ADAPT_STRUCT(simulated::step, fails, takes);
BOOST_HANA_ADAPT_STRUCT(simulated::narrow, fails, takes);

namespace simulated {

using namespace std::chrono_literals;

/// A trouble of one worker process.
struct trouble {
    enum class kind : std::uint8_t { crash, freeze, cut_off, stop } what{};
    pgq::duration at{};
    std::size_t who = 0;
    pgq::duration lasts{};
};
struct planned_job {
    pgq::duration at{};
    bool narrow = false;
    int fails = 0, takes = 0;
    bool deferred = false, unique = false, child = false, expires = false, cancelled = false;
};

/// What happens in one schedule, from a seed. Parts of it can be left out to find the smallest that fails.
struct plan {
    explicit plan(std::uint64_t s) : seed{s} {
        std::mt19937_64 r{s};
        const auto below = [&](std::uint64_t n) { return r() % n; };
        const auto ms = [&](std::uint64_t least, std::uint64_t most) {
            return std::chrono::milliseconds{least + below(most - least + 1)};
        };
        workers = 1 + below(3);
        for (auto n = 1 + below(8); n-- > 0;)
            // Half of the jobs come with the job before: a claim then has several.
            jobs.push_back({.at = jobs.empty() || below(2) == 0 ? ms(0, 15000) : jobs.back().at,
                            .narrow = below(3) == 0,
                            .fails = below(4) == 0 ? 1 : 0,
                            .takes = static_cast<int>(below(6) == 0 ? 2000 + below(10000) : below(500)),
                            .deferred = below(6) == 0,
                            .unique = below(6) == 0,
                            .child = below(6) == 0,
                            .expires = below(12) == 0,
                            .cancelled = below(12) == 0});
        for (auto n = below(4); n-- > 0;)
            troubles.push_back({static_cast<trouble::kind>(below(4)), ms(0, 20000), below(workers), ms(10, 15000)});
        if (below(2) == 0) rates = {.lost_request = 0.02, .lost_answer = 0.03, .late_request = 0.02};
    }

    std::uint64_t seed;
    std::size_t workers = 1;
    std::vector<planned_job> jobs{};
    std::vector<trouble> troubles{};
    pgq::simulation::fault_rates rates{};
};

/// Runs one plan; the result are the violations.
class schedule {
    using process = pgq::simulation::process;
    using queue = pgq::queue<pgq::job<step>, pgq::job<narrow, pgq::limiter::global_concurrency<2>>,
                             pgq::simulation::driver, pgq::serializer::json, pgq::simulation::executor>;
    static constexpr pgq::duration lease_time = 6s;
    static constexpr pgq::duration grace = 5s;

    struct handle {
        test::contract* held_to;
        std::shared_ptr<process> where;

        template <class Job>
        asio::awaitable<void> operator()(const Job& j, pgq::context& c) const {
            const auto run = held_to->began(*where, c.id(), c.attempt(), c.stop_token());
            co_await where->sleep(std::chrono::milliseconds{j.takes});
            const bool fails = c.attempt() <= j.fails;
            held_to->ended(run, !fails);
            if (fails) throw std::runtime_error{"as planned"};
        }
    };
    struct step_handler : handle {
        asio::awaitable<void> operator()(const step& j, pgq::context& c) const { return handle::operator()(j, c); }
    };
    struct narrow_handler : handle {
        asio::awaitable<void> operator()(const narrow& j, pgq::context& c) const { return handle::operator()(j, c); }
    };
    using worker = pgq::simulation::worker<queue, step_handler, narrow_handler>;

    struct site {
        std::shared_ptr<process> where;
        pgq::steady_time started{};
        std::unique_ptr<queue> jobs;
        std::unique_ptr<worker> runs{};
    };

public:
    explicit schedule(const plan& p, bool traced = false) : plan_{p} {
        if (traced) world_.keep_trace();
        const auto lanes = admin_->jobs->lanes().value();
        held_to_.set_lanes(lanes);
        held_to_.limit(lanes[queue::composition_type::index_of<narrow>], 2);
        world_.after_each_event([this] { held_to_.look(); });
    }
    schedule(const schedule&) = delete;
    schedule& operator=(const schedule&) = delete;
    ~schedule() { world_.forget_events(); }

    const std::vector<std::string>& run() {
        for (std::size_t i = 0; i < plan_.workers; ++i) {
            current_.push_back(sites_.size());
            start_worker(i);
        }
        for (const auto& j : plan_.jobs)
            world_.after(j.at, [this, &j] {
                const bool waits = j.child && !ids_.empty();
                enqueue(j,
                        {next_request_++, world_.now(), waits ? std::vector{ids_.back()} : std::vector<pgq::job_id>{}});
            });
        for (const auto& t : plan_.troubles) world_.after(t.at, [this, &t] { happen(t); });
        run_for(35s);
        for (auto& s : sites_) s.where->rates() = {};
        producer_->where->rates() = {};
        calm_ = true;
        const auto end = world_.now() + 120s;
        while (held_to_.violations().empty() && held_to_.open() != 0 && world_.step(end)) {}
        if (held_to_.violations().empty()) held_to_.nothing_is_left();
        if (held_to_.violations().empty()) probe();
        return held_to_.violations();
    }
    const pgq::simulation::world& world() const noexcept { return world_; }

private:
    void run_for(pgq::duration d) {
        const auto end = world_.now() + d;
        while (held_to_.violations().empty() && world_.step(end)) {}
    }

    void start_worker(std::size_t i) {
        const auto where = std::make_shared<process>(world_, "worker " + std::to_string(sites_.size()),
                                                     calm_ ? pgq::simulation::fault_rates{} : plan_.rates);
        auto& s = sites_.emplace_back(site{where, world_.now(), new_queue(where)});
        s.runs = std::make_unique<worker>(
            where, *s.jobs, pgq::worker_options{.lease_time = lease_time, .poll_interval = 10s, .grace = grace},
            step_handler{{&held_to_, where}}, narrow_handler{{&held_to_, where}});
        s.runs->after_sync = [this, where](const pgq::sync_reply& reply) { held_to_.synced(*where, reply); };
        s.runs->start();
        current_[i] = sites_.size() - 1;
    }
    std::unique_ptr<queue> new_queue(const std::shared_ptr<process>& where) {
        return std::make_unique<queue>(pgq::simulation::driver{database_, where}, pgq::queue_options{},
                                       pgq::simulation::executor{where});
    }

    void happen(const trouble& t) {
        site& s = sites_[current_[t.who]];
        if (s.where->has_crashed()) return;
        switch (t.what) {
        case trouble::kind::freeze: return s.where->freeze(t.lasts);
        case trouble::kind::cut_off: return s.where->cut_off(t.lasts);
        case trouble::kind::crash: crash(s); break;
        case trouble::kind::stop: stop(s); break;
        }
        world_.after(t.lasts, [this, i = t.who] { start_worker(i); });
    }

    void crash(site& s) {
        s.runs->crash();
        world_.after(lease_time + lease_time / 3 + 1s, [this, where = s.where, died = world_.now()] {
            const bool seen = std::any_of(sites_.begin(), sites_.end(), [&](const site& other) {
                return other.runs && !other.runs->has_ended() && other.started < died - 1s &&
                       is_well(*other.where, died);
            });
            if (seen) held_to_.must_have_lost_all(*where, died);
        });
    }
    void stop(site& s) {
        s.runs->request_stop();
        world_.after(grace + 2s, [this, where = s.where, runs = s.runs.get(), asked = world_.now()] {
            if (is_well(*where, asked) && !held_to_.has_run_since(*where, world_.now() - 1s) && !runs->has_ended())
                held_to_.violate(where->name() + " has not ended in its grace time");
        });
    }
    // Since `from` the process could work.
    static bool is_well(process& p, pgq::steady_time from) {
        return !p.has_crashed() && p.frozen_until() < from && p.cut_until() < from && p.rates().lost_request == 0;
    }

    // When all is well, jobs begin at once, or when they are due.
    void probe() {
        // Calls whose answers were lost have ended. Late requests have arrived, and workers have found what these have
        // claimed: they read their leases again after four lease times.
        run_for(pgq::simulation::response_timeout + 10s);
        if (plan_.rates.late_request > 0) run_for(pgq::simulation::response_timeout + 4 * lease_time);
        for (const auto delay : {0ms, 1500ms}) {
            for (const bool is_narrow : {false, true}) {
                run_for(1s);
                if (!held_to_.violations().empty()) return;
                std::optional<pgq::job_id> id;
                world_.after({}, [&] {
                    id =
                        enqueue_one({.narrow = is_narrow, .deferred = delay > 0ms}, {.first_try = world_.now()}, delay);
                });
                run_for(delay + 100ms);
                if (!held_to_.start_of(*id)) held_to_.violate("a probe did not begin when it was due");
            }
        }
    }

    struct request {
        int number = 0;  // 0: without a request id
        pgq::steady_time first_try{};
        std::vector<pgq::job_id> parents{};
    };

    // A producer repeats what is in doubt, under the same name.
    void enqueue(const planned_job& j, const request& r) {
        producer_->where->rates() = calm_ ? pgq::simulation::fault_rates{} : plan_.rates;
        const auto id = enqueue_one(j, r, 3s);
        if (!id) return world_.after(20ms, [this, &j, r] { enqueue(j, r); });
        ids_.push_back(*id);
        if (!j.cancelled) return;
        world_.after(world_.between({}, 5s), [this, id = *id] {
            held_to_.cancel_requested(id);
            (void)admin_->jobs->cancel(id);
        });
    }
    std::optional<pgq::job_id> enqueue_one(const planned_job& j, const request& r, pgq::duration delay) {
        test::contract::promise p{.parents = r.parents};
        if (j.unique) p.key = j.narrow ? "the narrow one" : "the key";
        const std::string name = "request " + std::to_string(r.number);
        pgq::enqueue_options o{.unique_key = p.key.empty() ? pgq::unique{} : pgq::unique{p.key}, .after = p.parents};
        if (r.number != 0) o.request_id = name;
        if (j.expires) {
            o.expires_at = pgq::in(7s);
            p.may_expire_at = r.first_try + 7s;
            p.expires_at = world_.now() + 7s;
        } else if (j.deferred) {
            o.run_at = pgq::in(delay);
            p.not_before = r.first_try + delay;
        }
        const auto store = [&](const auto& job) -> std::optional<pgq::job_id> {
            const auto stored = producer_->jobs->enqueue(job, o);
            if (!stored) return std::nullopt;
            return stored->id();
        };
        const auto id = j.narrow ? store(narrow{j.fails, j.takes}) : store(step{j.fails, j.takes});
        if (!id) return std::nullopt;
        producer_->where->note("has enqueued job " + std::to_string(id->value));
        held_to_.enqueued(*id, std::move(p));
        return id;
    }

    plan plan_;
    pgq::simulation::world world_{plan_.seed};
    pgq::driver::memory database_ = pgq::driver::memory::with_clock(world_.clock());
    test::contract held_to_{world_, database_};
    std::vector<std::size_t> current_{};
    std::vector<site> sites_{};
    std::unique_ptr<site> producer_ = client("producer");
    std::unique_ptr<site> admin_ = client("operator");
    std::vector<pgq::job_id> ids_{};
    int next_request_ = 1;
    bool calm_ = false;

    std::unique_ptr<site> client(const std::string& name) {
        const auto where = std::make_shared<process>(world_, name);
        return std::make_unique<site>(site{where, world_.now(), new_queue(where)});
    }
};

}  // namespace simulated
