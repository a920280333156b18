#pragma once

#include <pgq/pgq.hpp>
#include <pgq/testing/simulation/worker.hpp>

#include "contract.hpp"
#include "jobs.hpp"
#include "scheduler.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace simulated {

using namespace std::chrono_literals;

/// A trouble of one worker process.
struct trouble {
    enum class kind : std::uint8_t { crash, freeze, cut_off, stop } what{};
    pgq::duration at{};
    std::size_t who = 0;
    pgq::duration lasts{};
};
/// A pause of all jobs of a type.
struct planned_pause {
    pgq::duration at{}, lasts{};
    bool narrow = false;
};
struct planned_job {
    enum class type : std::uint8_t { step, narrow, once, cause, doomed };
    pgq::duration at{};
    type what = type::step;
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
                            .what = type_of(below(12)),
                            .fails = below(4) == 0 ? 1 : 0,
                            .takes = static_cast<int>(below(6) == 0 ? 2000 + below(10000) : below(500)),
                            .deferred = below(6) == 0,
                            .unique = below(6) == 0,
                            .child = below(6) == 0,
                            .expires = below(12) == 0,
                            .cancelled = below(12) == 0});
        for (auto n = below(4); n-- > 0;)
            troubles.push_back({static_cast<trouble::kind>(below(4)), ms(0, 20000), below(workers), ms(10, 15000)});
        if (below(4) == 0) pauses.push_back({ms(0, 15000), ms(10, 12000), below(2) == 0});
        if (below(2) == 0) rates = {.lost_request = 0.02, .lost_answer = 0.03, .late_request = 0.02};
    }

    std::uint64_t seed;
    std::size_t workers = 1;
    std::vector<planned_job> jobs{};
    std::vector<trouble> troubles{};
    std::vector<planned_pause> pauses{};
    pgq::simulation::fault_rates rates{};

private:
    static planned_job::type type_of(std::uint64_t choice) {
        using type = planned_job::type;
        constexpr std::array of_rest{type::narrow, type::narrow, type::narrow, type::once, type::cause, type::doomed};
        return choice < of_rest.size() ? of_rest[choice] : type::step;
    }
};

/// Runs one plan; the result are the violations.
class schedule {
    using process = pgq::simulation::process;
    static constexpr pgq::duration lease_time = 6s;
    static constexpr pgq::duration grace = 5s;

    template <class Queue, class... Handlers>
    struct basic_site {
        std::shared_ptr<process> where;
        pgq::steady_time started{};
        std::unique_ptr<Queue> jobs;
        std::unique_ptr<pgq::simulation::worker<Queue, Handlers...>> runs{};
        std::unique_ptr<scheduler> fires{};
    };
    using site = basic_site<queue, step_handler, narrow_handler, once_handler, cause_handler, effect_handler,
                            tick_handler, doomed_handler>;
    using dead_site = basic_site<dead_queue, dead_handler>;

public:
    explicit schedule(const plan& p, bool traced = false) : plan_{p} {
        if (traced) world_.keep_trace();
        admin_->jobs->dead_letters<doomed>("dead").value();
        auto lanes = admin_->jobs->lanes().value();
        lanes.push_back(dead_.jobs->lanes().value().front());
        held_to_.set_lanes(lanes);
        held_to_.limit(lane_of<narrow>(), 2);
        if (p.rates.lost_answer > 0) held_to_.answers_get_lost();
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
        start(dead_, dead_handler{{&held_to_, dead_.where}});
        for (const auto& j : plan_.jobs)
            world_.after(j.at, [this, &j] {
                // A doomed job whose parent is cancelled would go to the dead letters at once.
                const bool waits = j.child && !ids_.empty() && j.what != planned_job::type::doomed;
                enqueue(j,
                        {next_request_++, world_.now(), waits ? std::vector{ids_.back()} : std::vector<pgq::job_id>{}});
            });
        for (const auto& t : plan_.troubles) world_.after(t.at, [this, &t] { happen(t); });
        for (const auto& p : plan_.pauses)
            world_.after(p.at, [this, &p] {
                if (p.narrow) pause<narrow>(p.lasts);
                else pause<step>(p.lasts);
            });
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
        auto& s = sites_.emplace_back(new_site<site>(where));
        const handler h{&held_to_, where};
        start(s, step_handler{h}, narrow_handler{h}, once_handler{h}, cause_handler{h}, effect_handler{h},
              tick_handler{h}, doomed_handler{h});
        s.fires = std::make_unique<scheduler>(where, database_, admin_->jobs->lanes().value());
        s.fires->start();
        current_[i] = sites_.size() - 1;
    }
    template <class Site, class... Handlers>
    void start(Site& s, Handlers... handlers) {
        s.runs = std::make_unique<typename decltype(s.runs)::element_type>(
            s.where, *s.jobs, pgq::worker_options{.lease_time = lease_time, .poll_interval = 10s, .grace = grace},
            std::move(handlers)...);
        s.runs->after_sync = [this, where = s.where](const pgq::sync_reply& reply) { held_to_.synced(*where, reply); };
        s.runs->start();
    }
    template <class Site>
    Site new_site(const std::shared_ptr<process>& where, const pgq::queue_options& options = {}) {
        using queue_type = typename decltype(Site::jobs)::element_type;
        return {where, world_.now(),
                std::make_unique<queue_type>(pgq::simulation::driver{database_, where}, options,
                                             pgq::simulation::executor{where})};
    }
    template <class Job>
    pgq::lane_id lane_of() {
        return admin_->jobs->lanes().value()[queue::composition_type::index_of<Job>];
    }

    // Only one pause at a time is of one type.
    template <class Job>
    void pause(pgq::duration lasts) {
        admin_->where->note("pauses " + std::string{Job::entrypoint});
        (void)admin_->jobs->pause<Job>("as planned").value();
        held_to_.paused(lane_of<Job>());
        world_.after(lasts, [this] {
            admin_->where->note("resumes " + std::string{Job::entrypoint});
            held_to_.resumed(lane_of<Job>());
            (void)admin_->jobs->resume<Job>().value();
        });
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
        s.fires->request_stop();
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
        if (held_to_.violations().empty()) {
            held_to_.each_effect_is_there();
            held_to_.each_tick_is_there(20s);
        }
        for (const auto delay : {0ms, 1500ms}) {
            for (const auto what : {planned_job::type::step, planned_job::type::narrow}) {
                run_for(1s);
                if (!held_to_.violations().empty()) return;
                std::optional<pgq::job_id> id;
                world_.after({}, [&] {
                    id = enqueue_one({.what = what, .deferred = delay > 0ms}, {.first_try = world_.now()}, delay);
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
        if (j.what != planned_job::type::doomed) ids_.push_back(*id);
        if (!j.cancelled) return;
        world_.after(world_.between({}, 5s), [this, id = *id] {
            held_to_.cancel_requested(id);
            (void)admin_->jobs->cancel(id);
        });
    }
    std::optional<pgq::job_id> enqueue_one(const planned_job& j, const request& r, pgq::duration delay) {
        using type = planned_job::type;
        test::contract::promise p{
            .parents = r.parents, .at_most_once = j.what == type::once, .has_effect = j.what == type::cause};
        if (j.unique && j.what == type::step) p.key = "the key";
        if (j.unique && j.what == type::narrow) p.key = "the narrow one";
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
        bool is_new = false;
        const auto store = [&](const auto& job) -> std::optional<pgq::job_id> {
            const auto stored = producer_->jobs->enqueue(job, o);
            if (!stored) return std::nullopt;
            is_new = stored->is_new();
            return stored->id();
        };
        const auto store_as = [&](type what) {
            switch (what) {
            case type::narrow: return store(narrow{j.fails, j.takes});
            case type::once: return store(once{j.fails});
            case type::cause: return store(cause{j.fails});
            case type::doomed: return store(doomed{j.takes});
            case type::step: break;
            }
            return store(step{j.fails, j.takes});
        };
        const auto id = store_as(j.what);
        if (!id) return std::nullopt;
        producer_->where->note("has enqueued job " + std::to_string(id->value));
        held_to_.enqueued(*id, std::move(p), is_new);
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
    // Its worker has no trouble.
    dead_site dead_ = new_site<dead_site>(std::make_shared<process>(world_, "dead letters"), {.name = "dead"});
    std::vector<pgq::job_id> ids_{};
    int next_request_ = 1;
    bool calm_ = false;

    std::unique_ptr<site> client(const std::string& name) {
        const auto where = std::make_shared<process>(world_, name);
        return std::make_unique<site>(new_site<site>(where));
    }
};

}  // namespace simulated
