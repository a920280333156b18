#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

/// A random sequence of calls to a driver, from a seed, and a text of what each of them answered. Jobs have the numbers
/// in which they were enqueued, so the texts of two drivers can be compared. Time passes only by `advance`.
template <class Driver>
class history {
    using worker = pgq::laws::test_worker<typename Driver::session>;
    using strings = pgq::laws::strings;

public:
    /// `advance` moves the clock of the driver.
    history(Driver driver, std::function<void(pgq::duration)> advance, std::uint64_t seed)
        : w_{std::move(driver)}, advance_{std::move(advance)}, random_{seed} {
        lanes_ = {w_.lane("a"), w_.lane("b"), w_.lane("dead")};
        for (int i = 0; i < 2; ++i) workers_.push_back({w_.worker({lanes_[0], lanes_[1]}, std::chrono::minutes{1}, 3)});
    }

    const strings& run(int steps) {
        for (int i = 0; i < steps; ++i) step();
        describe_all();
        return log_;
    }

private:
    struct held_lease {
        std::int64_t id = 0;
        std::vector<std::pair<std::uint32_t, pgq::job_id>> unsettled{};  // indexes, in the order of the jobs' ids
    };
    struct site {
        worker at;
        std::vector<held_lease> leases{};
    };

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    bool chance(std::uint64_t in) { return below(in) == 0; }
    void say(std::string text) { log_.push_back(std::move(text)); }
    std::string name(pgq::job_id id) const {
        const auto found = number_.find(id);
        return found == number_.end() ? "?" : std::to_string(found->second);
    }
    pgq::job_id some_job() { return jobs_.empty() ? pgq::job_id{1} : jobs_[below(jobs_.size())]; }

    void step() {
        switch (below(16)) {
        case 0:
        case 1:
        case 2: return enqueue();
        case 3:
        case 4:
        case 5: return claim(workers_[below(workers_.size())]);
        case 6:
        case 7:
        case 8: return settle(workers_[below(workers_.size())]);
        case 9: return pass();
        case 10: return beat(workers_[below(workers_.size())]);
        case 11: return rescue();
        case 12: return cancel();
        case 13: return requeue();
        case 14: return leave(workers_[below(workers_.size())]);
        default: return look_after();
        }
    }

    void enqueue() {
        pgq::enqueue_options o{.priority = static_cast<int>(below(3))};
        std::string text = "enqueue";
        std::vector<pgq::job_id> parents;
        if (chance(4)) o.run_at = pgq::in(std::chrono::seconds{chance(2) ? 5 : 20}), text += " later";
        if (chance(4)) o.unique_key = keys[below(keys.size())], text += " unique";
        if (chance(5)) o.expires_at = pgq::in(std::chrono::seconds{15}), text += " expiring";
        if (chance(5)) o.if_expired = pgq::on_expiry::hold;
        if (chance(4)) o.keep_outcome = std::chrono::hours{1}, text += " kept";
        if (chance(4)) {
            for (auto n = 1 + below(2); n-- > 0;) parents.push_back(some_job());
            std::sort(parents.begin(), parents.end());
            parents.erase(std::unique(parents.begin(), parents.end()), parents.end());
            o.after = parents;
            constexpr std::array ways{pgq::parent_failure::run, pgq::parent_failure::hold, pgq::parent_failure::cancel};
            o.if_parent_fails = ways[below(3)];
            for (const auto p : parents) text += " after " + name(p);
        }
        if (o.run_at.is_set() && o.expires_at.is_set()) o.expires_at = {};
        const std::string body = "job " + std::to_string(jobs_.size());
        const auto b = pgq::laws::driver_fixture<Driver>::packed({body});
        std::vector<pgq::job_id> ids;
        const auto done =
            w_.client().enqueue({.lane = lanes_[below(2)], .bodies = &b, .options = std::span{&o, 1}}, ids);
        if (!done) return say(text + ": " + done.error().code.message());
        for (const auto id : ids) {
            const bool is_new = number_.try_emplace(id, jobs_.size()).second;
            if (is_new) jobs_.push_back(id);
            text += (is_new ? ": new " : ": is ") + name(id);
        }
        say(std::move(text));
    }

    // Twice: PostgreSQL looks again at jobs that were in a lease when their time ran out, but not at once.
    void expire() {
        auto n = pgq::laws::must(w_.client().expire_and_purge()).expired;
        n += pgq::laws::must(w_.client().expire_and_purge()).expired;
        say("expire: " + std::to_string(n));
    }
    // A claim in memory ends expired jobs; one in PostgreSQL says that they have expired. So they end before it.
    void claim(site& s) {
        expire();
        pgq::sync_request r{
            .worker = s.at.worker, .lanes = s.at.lanes, .limit = static_cast<std::uint32_t>(1 + below(4))};
        r.promote = chance(2);
        pgq::sync_reply reply;
        std::string text =
            std::string{"claim "} + (r.promote ? "after promoting " : "") + std::to_string(r.limit) + ":";
        if (const auto done = s.at.session.sync(r, reply); !done) {
            s.leases.clear();
            return say(text + " " + done.error().code.message());
        }
        for (const auto& j : pgq::laws::in_order(reply))
            text += " " + name(j.id) + "/" + std::to_string(j.attempt) + "/" + std::to_string(j.flags) + "/" +
                    std::to_string(j.rank.priority()) + "/" + std::string{j.body};
        std::sort(reply.leases.begin(), reply.leases.end(),
                  [](const auto& a, const auto& b) { return a.lane < b.lane; });
        for (const auto& l : reply.leases) {
            held_lease held{.id = l.ref.id};
            auto jobs = l.jobs;
            std::sort(jobs.begin(), jobs.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
            for (const auto& j : jobs) held.unsettled.emplace_back(j.index, j.id);
            size_of_[l.ref.id] = held.unsettled.size();
            s.leases.push_back(std::move(held));
        }
        say(std::move(text));
    }

    // Some jobs of one lease end, in the order of their ids, so that both drivers see the same jobs.
    void settle(site& s) {
        if (s.leases.empty()) return;
        const auto which = below(s.leases.size());
        held_lease& held = s.leases[which];
        const auto all = pgq::laws::must(s.at.session.lease_updates(s.at.worker));
        const auto stored =
            std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.ref.id == held.id; });
        if (stored == all.end()) {
            s.leases.erase(s.leases.begin() + static_cast<std::ptrdiff_t>(which));
            return say("a lease is lost");
        }
        const auto count = 1 + below(held.unsettled.size());
        const bool last = count == held.unsettled.size();
        std::vector<pgq::settlement> items;
        std::string mask = stored->left, text = "settle";
        mask.resize((size_of_[held.id] + 7) / 8);
        for (std::size_t i = 0; i < count; ++i) {
            const auto [index, id] = held.unsettled[i];
            mask[index / 8] = static_cast<char>(mask[index / 8] | (1 << (index % 8)));
            constexpr std::array kinds{pgq::settle_kind::done,   pgq::settle_kind::done,    pgq::settle_kind::retry,
                                       pgq::settle_kind::retry,  pgq::settle_kind::release, pgq::settle_kind::hold,
                                       pgq::settle_kind::discard};
            pgq::settlement one{.index = index, .kind = kinds[below(kinds.size())]};
            if (one.kind != pgq::settle_kind::done) one.reason = "why not";
            if (one.kind == pgq::settle_kind::release) one.reason = {};
            if (pgq::keeps_job(one.kind) && one.kind != pgq::settle_kind::hold && chance(2))
                one.delay = std::chrono::seconds{5};
            text += " " + name(id) + static_cast<char>(one.kind) + (one.delay > pgq::duration{} ? " later" : "");
            items.push_back(one);
        }
        held.unsettled.erase(held.unsettled.begin(), held.unsettled.begin() + static_cast<std::ptrdiff_t>(count));
        const pgq::lease_progress p{.ref = stored->ref,
                                    .last = last,
                                    .left = stored->left,
                                    .mask = mask,
                                    .items = items,
                                    .flagged = !stored->flags.empty()};
        pgq::sync_reply reply;
        const auto done = s.at.session.sync({.worker = s.at.worker, .progressed = std::span{&p, 1}}, reply);
        say(text + (done ? reply.lost.empty() ? "" : ": lost" : ": " + done.error().code.message()));
        if (last) s.leases.erase(s.leases.begin() + static_cast<std::ptrdiff_t>(which));
    }

    void pass() {
        // Real time passes, too. Sums of these miss 15, 20 and 60 s by at least four seconds, or are above.
        const std::chrono::seconds d{chance(3) ? 40 : 8};
        advance_(d);
        say(std::to_string(d.count()) + " s pass");
    }
    void beat(site& s) {
        const auto reply = pgq::laws::must(s.at.session.beat(s.at.worker));
        say(std::string{"beat:"} + (reply.alive ? " alive" : " dead") + (reply.jobs_to_stop ? " stop" : "") +
            (reply.rescue_needed ? " rescue" : ""));
    }
    void rescue() {
        const auto r = pgq::laws::must(w_.client().rescue());
        std::string text = "rescue: " + std::to_string(r.workers) + " dead, " + std::to_string(r.returned) + " back";
        for (const auto& j : r.held_jobs) text += ", held " + name(j.id);
        say(std::move(text));
        // A dead worker registers again before it claims, as each worker does.
        for (site& s : workers_) {
            if (r.workers == 0 || pgq::laws::must(s.at.session.beat(s.at.worker)).alive) continue;
            s.leases.clear();
            s.at = w_.worker({lanes_[0], lanes_[1]}, std::chrono::minutes{1}, 3);
            say("register again");
        }
    }
    void cancel() {
        const std::array ids{some_job(), some_job()};
        const auto r = pgq::laws::must(w_.client().cancel(ids));
        say("cancel " + name(ids[0]) + " " + name(ids[1]) + ": " + std::to_string(r.removed) + " " +
            std::to_string(r.stopping));
    }
    void requeue() {
        const std::array ids{some_job()};
        say("requeue " + name(ids[0]) + ": " + std::to_string(pgq::laws::must(w_.client().requeue(ids))));
    }
    // The worker gives its leases back, or ends and another one begins.
    void leave(site& s) {
        s.leases.clear();
        if (chance(2)) {
            const auto refs = pgq::laws::refs_of(pgq::laws::must(s.at.session.leases_of(s.at.worker)));
            (void)pgq::laws::must(s.at.session.give_back(refs));
            return say("give back");
        }
        (void)pgq::laws::must(s.at.session.retire(s.at.worker));
        s.at = w_.worker({lanes_[0], lanes_[1]}, std::chrono::minutes{1}, 3);
        say("retire");
    }
    void look_after() {
        switch (below(4)) {
        case 0: return expire();
        case 1: {
            const bool now = pgq::laws::must(w_.client().pause({.queue = "default", .entrypoint = "b"}));
            return say(std::string{"pause"} + (now ? "" : " again"));
        }
        case 2: return say(pgq::laws::must(w_.client().resume("default", "b")) ? "resume" : "resume nothing");
        default: return describe(some_job());
        }
    }

    // "job 17" in a reason: the ids of two drivers differ.
    static std::string without_ids(std::string text) {
        const auto at = text.find("job ");
        if (at == std::string::npos) return text;
        const auto digits = text.find_first_not_of("0123456789", at + 4);
        return text.replace(at + 4, std::min(digits, text.size()) - at - 4, "N");
    }
    void describe(pgq::job_id id) {
        const auto f = pgq::laws::must(w_.client().find_one(id));
        std::string text = "job " + name(id) + ":";
        if (!f) return say(text + " unknown");
        text += " state " + std::to_string(static_cast<int>(f->state)) + ", attempts " + std::to_string(f->attempts) +
                ", blocked by " + std::to_string(f->blocked_by);
        // Of a delayed job PostgreSQL knows why it was delayed, memory why it failed last.
        if (f->state != pgq::job_state::deferred) text += ", reason '" + without_ids(f->reason) + "'";
        if (f->end) text += std::string{", ended "} + static_cast<char>(*f->end);
        say(std::move(text));
    }
    void describe_all() {
        for (const auto id : jobs_) {
            describe(id);
            for (const auto& failure : pgq::laws::must(w_.client().failures(id)))
                say("  failed " + std::to_string(failure.attempt) + " '" + failure.reason + "'");
        }
        for (const auto lane : lanes_) {
            const auto c = w_.counts(lane);
            say("ready " + std::to_string(c.ready) + ", deferred " + std::to_string(c.deferred) + ", blocked " +
                std::to_string(c.blocked) + ", leased " + std::to_string(c.leased) + ", held " +
                std::to_string(c.held));
        }
    }

    static constexpr std::array keys{"red", "green"};

    pgq::laws::driver_fixture<Driver> w_;
    std::function<void(pgq::duration)> advance_;
    std::mt19937_64 random_;
    std::vector<pgq::lane_id> lanes_{};
    std::vector<site> workers_{};
    std::vector<pgq::job_id> jobs_{};
    std::map<pgq::job_id, std::size_t> number_{};
    std::map<std::int64_t, std::size_t> size_of_{};
    strings log_{};
};

}  // namespace test
