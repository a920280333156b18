#pragma once

#include <pgq/driver/memory.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/testing/simulation/process.hpp>
#include <pgq/testing/simulation/world.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// What pgq promises (product.md, the contract), checked after each event of a simulated world. It knows what producers
/// were told, which handlers ran and where, and reads the database.
class contract {
public:
    using process = pgq::simulation::process;

    struct run {
        std::int64_t job = 0;
        const process* where = nullptr;
        std::int16_t attempt = 0;
        std::stop_token stop{};
        pgq::steady_time began{};
        pgq::steady_time ended{};
        bool active = true;
        bool done = false;
    };

    contract(pgq::simulation::world& w, pgq::driver::memory database)
        : world_{&w}, session_{database.connect(pgq::session_role::client).value()} {}

    const std::vector<std::string>& violations() const noexcept { return violations_; }
    std::size_t open() const noexcept { return open_.size(); }

    struct promise {
        std::vector<pgq::job_id> parents{};
        std::string key{};                                              ///< unique
        pgq::steady_time not_before{};                                  ///< deferred until then
        std::optional<pgq::steady_time> may_expire_at{}, expires_at{};  ///< differ for a call that was repeated
        bool at_most_once = false;
        bool has_effect = false;  ///< its handler enqueues another job in the transaction that ends it
    };

    /// A producer was told that the job is stored, or that one with its key was there already.
    void enqueued(pgq::job_id id, promise p, bool is_new) {
        if (known_.contains(id.value)) return;  // it has the unique key of that job
        if (!is_new && !p.key.empty()) {
            // Perhaps the job of another call, whose answer was lost and who was promised something else.
            p = {.key = std::move(p.key)};
            known_[id.value].may_vanish = true;
        }
        if (!p.key.empty())
            for (const auto other : open_)
                if (known_[other].key == p.key)
                    violate("jobs " + std::to_string(other) + " and " + std::to_string(id.value) + " have one key");
        known_[id.value].promise::operator=(std::move(p));
        open_.insert(id.value);
    }
    bool is_open(pgq::job_id id) const { return open_.contains(id.value); }
    void cancel_requested(pgq::job_id id) { known_[id.value].may_vanish = true; }
    void limit(pgq::lane_id lane, std::int64_t most) { limits_.emplace_back(lane, most); }
    /// The lanes in which most jobs are.
    void set_lanes(std::vector<pgq::lane_id> lanes) { lanes_ = std::move(lanes); }
    /// Answers get lost: a job that runs at most once may then be gone without a run.
    void answers_get_lost() { answers_get_lost_ = true; }
    void paused(pgq::lane_id lane) { paused_.insert(lane); }
    void resumed(pgq::lane_id lane) { paused_.erase(lane); }

    /// A sync of the process was performed.
    void synced(const process& by, const pgq::sync_reply& reply) {
        for (const auto& l : reply.leases) {
            if (paused_.contains(l.lane)) violate(by.name() + " has claimed from a paused lane");
            for (const auto& j : l.jobs) {
                auto& c = claims_[j.id.value];
                c.by = &by;
                c.at = world_->now();
                ++c.count;
            }
        }
    }

    /// `start_over`: the job was moved to a queue of dead letters, where its attempts are counted anew.
    std::size_t began(const process& where, pgq::job_id id, std::int16_t attempt, std::stop_token stop,
                      bool start_over = false) {
        const auto k = known_.find(id.value);
        for (const run& r : runs_) {
            if (r.job != id.value) continue;
            if (k != known_.end() && k->second.at_most_once)
                violate("job " + std::to_string(id.value) + " runs a second time");
            // A worker that knows its lease to be lost has asked the handler to stop. One that is frozen cannot.
            const bool excused =
                r.where->has_crashed() || r.stop.stop_requested() || r.where->frozen_until() >= r.began;
            if (r.active && !excused)
                violate("job " + std::to_string(id.value) + " runs twice at once: by " + r.where->name() + " and " +
                        where.name());
        }
        // A claim may count without a start: if the worker dies, the database does not know of a single job whether it
        // has begun.
        const auto failed = session_.failures(id)->size();
        const int claims = claims_[id.value].count;
        if (attempt > claims || (!start_over && attempt < static_cast<int>(failed) + 1))
            violate("job " + std::to_string(id.value) + " has attempt " + std::to_string(attempt) + " after " +
                    std::to_string(claims) + " claims and " + std::to_string(failed) + " failures");
        if (k != known_.end() && claims == 1 && world_->now() > k->second.expires_at.value_or(world_->now()))
            violate("job " + std::to_string(id.value) + " begins after it has expired");
        if (k != known_.end() && world_->now() < k->second.not_before)
            violate("job " + std::to_string(id.value) + " begins too early");
        if (k != known_.end())
            for (const auto parent : k->second.parents)
                if (open_.contains(parent.value))
                    violate("job " + std::to_string(id.value) + " runs before its parent " +
                            std::to_string(parent.value) + " has ended");
        where.note("begins job " + std::to_string(id.value) + ", attempt " + std::to_string(attempt));
        runs_.push_back(
            {.job = id.value, .where = &where, .attempt = attempt, .stop = std::move(stop), .began = world_->now()});
        return runs_.size() - 1;
    }
    void ended(std::size_t which, bool done) {
        run& r = runs_[which];
        r.active = false;
        r.ended = world_->now();
        r.done = done;
        r.where->note(std::string{done ? "has done" : "fails"} + " job " + std::to_string(r.job));
    }

    /// A handler runs the job that the handler of the job `of` has enqueued in its transaction.
    void effect_began(std::int64_t of, pgq::job_id id) {
        const auto [at, is_first] = effects_.emplace(of, id);
        if (!is_first && at->second != id) violate("job " + std::to_string(of) + " has two effects");
    }
    /// A handler runs the job of a tick.
    void ticked(pgq::time_point at, pgq::job_id id) {
        const auto [known, is_first] = ticks_.emplace(at, id);
        if (!is_first && known->second != id) violate("a tick was fired twice");
    }
    void each_tick_is_there(pgq::duration period) {
        for (auto next = ticks_.begin(), at = next; at != ticks_.end(); at = next)
            if (++next != ticks_.end() && next->first - at->first != period) violate("a tick was not fired");
        if (ticks_.empty() || ticks_.rbegin()->first < world_->clock().now() - period - std::chrono::seconds{1})
            violate("the schedule has ended");
    }
    /// After all jobs have ended.
    void each_effect_is_there() {
        for (const auto& [id, k] : known_)
            if (k.has_effect && !k.may_vanish && !k.may_expire_at && !effects_.contains(id))
                violate("job " + std::to_string(id) + " has no effect");
    }

    /// Reads the database: which jobs have ended, and whether they may have.
    void look() {
        for (const auto& [lane, most] : limits_) {
            const auto leased = session_.counts(lane)->leased;
            if (leased > most)
                violate(std::to_string(leased) + " jobs are leased in a lane with the limit " + std::to_string(most));
        }
        // One search for nearly all jobs takes less time than one for each.
        not_held_.clear();
        session_.find({.lanes = lanes_, .where = open_states}, not_held_).value();
        for (auto at = open_.begin(); at != open_.end();) {
            if (std::binary_search(not_held_.begin(), not_held_.end(), pgq::job_id{*at})) {
                ++at;
                continue;
            }
            const auto found = session_.find_one({*at}).value();
            const bool held = found && found->state == pgq::job_state::held && may_be_held(*at);
            if (found && found->state != pgq::job_state::ended && !held) {
                ++at;
                continue;
            }
            if (held) known_[*at].may_vanish = true;  // as its children may see it
            check_end(*at);
            at = open_.erase(at);
        }
    }
    /// After all troubles, when there should be nothing to do any more.
    void nothing_is_left() {
        for (const auto id : open_) {
            const auto found = session_.find_one({id}).value();
            violate("job " + std::to_string(id) + " is left: state " + std::to_string(static_cast<int>(found->state)));
        }
    }
    /// The process has died at `died`: what it had must have left it, if others were there to see it.
    void must_have_lost_all(const process& dead, pgq::steady_time died) {
        for (const auto& [id, c] : claims_)
            if (c.by == &dead && c.at <= died && open_.contains(id) && is_leased(id))
                violate("job " + std::to_string(id) + " is still leased by " + dead.name() + ", which is dead");
    }
    /// Whether a handler of the process runs, or has ended behind `from`.
    bool has_run_since(const process& where, pgq::steady_time from) const {
        return std::any_of(runs_.begin(), runs_.end(),
                           [&](const run& r) { return r.where == &where && (r.active || r.ended > from); });
    }
    /// When the job began first.
    std::optional<pgq::steady_time> start_of(pgq::job_id id) const {
        for (const run& r : runs_)
            if (r.job == id.value) return r.began;
        return std::nullopt;
    }
    void violate(std::string what) {
        world_->note("VIOLATION: " + what);
        violations_.push_back(std::move(what));
    }

private:
    struct known_job : promise {
        bool may_vanish = false;
    };

    bool is_leased(std::int64_t id) {
        const auto found = session_.find_one({id}).value();
        return found && found->state == pgq::job_state::leased;
    }
    // Because a job that it waits for was cancelled, has expired, or is held itself.
    bool may_be_held(std::int64_t id) {
        for (const auto parent : known_[id].parents)
            if (known_[parent.value].may_vanish || known_[parent.value].expires_at) return true;
        return false;
    }
    // Who has claimed a job last, and how often it was claimed.
    struct claim {
        const process* by = nullptr;
        pgq::steady_time at{};
        int count = 0;
    };

    // A job ends by the worker that has its lease, after its handler there was done; or because somebody asked for it.
    void check_end(std::int64_t id) {
        const known_job& k = known_[id];
        if (k.may_vanish) return;
        if (k.may_expire_at && world_->now() >= *k.may_expire_at) return;
        const claim& c = claims_[id];
        if (k.at_most_once && answers_get_lost_) return;
        for (const run& r : runs_)
            if (r.job == id && (r.done || k.at_most_once) && r.where == c.by && r.began >= c.at) return;
        violate("job " + std::to_string(id) + " is gone, and " + (c.by != nullptr ? c.by->name() : "nobody") +
                ", which has claimed it last, has not done it");
    }

    pgq::simulation::world* world_;
    pgq::driver::memory::session session_;
    std::map<std::int64_t, known_job> known_{};
    std::set<std::int64_t> open_{};
    std::map<std::int64_t, claim> claims_{};
    static constexpr auto open_states =
        pgq::job_state::ready | pgq::job_state::deferred | pgq::job_state::blocked | pgq::job_state::leased;

    std::vector<pgq::lane_id> lanes_{};
    std::vector<pgq::job_id> not_held_{};
    std::vector<std::pair<pgq::lane_id, std::int64_t>> limits_{};
    std::set<pgq::lane_id> paused_{};
    std::map<std::int64_t, pgq::job_id> effects_{};
    std::map<pgq::time_point, pgq::job_id> ticks_{};
    bool answers_get_lost_ = false;
    std::vector<run> runs_{};
    std::vector<std::string> violations_{};
};

}  // namespace test
