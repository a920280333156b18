#pragma once

#include <pgq/testing/laws/driver/world.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

/// Laws of tracked jobs: unique keys, dependencies, how the end of a job is told, stopping, expiry.
namespace pgq::laws {

/// A lane with one worker, and words for tracked jobs.
template <class Driver>
struct tracked_world {
    using session = typename Driver::session;

    struct item {
        std::string body{};
        enqueue_options options{};
        std::optional<lane_id> lane{};  ///< another than the world's
    };

    explicit tracked_world(Driver d, duration lease_time = 1min, std::int16_t attempts = 5)
        : w{std::move(d)}, lane{w.lane()}, p{w.worker({lane}, lease_time, attempts)} {}

    result<std::vector<enqueued_job>> try_add(const std::vector<item>& items, const std::vector<edge>& edges = {}) {
        words texts;
        std::vector<lane_id> lanes;
        std::vector<enqueue_options> options;
        for (const item& i : items) {
            texts.push_back(i.body);
            lanes.push_back(i.lane.value_or(lane));
            options.push_back(i.options);
        }
        const bodies b = driver_world<Driver>::packed(texts);
        std::vector<enqueued_job> jobs;
        const auto done =
            w.client().enqueue_tracked({.lanes = lanes, .bodies = &b, .options = options, .edges = edges}, jobs);
        if (!done) return done.error();
        REQUIRE(jobs.size() == items.size());
        return jobs;
    }
    std::vector<enqueued_job> add(const std::vector<item>& items, const std::vector<edge>& edges = {}) {
        return must(try_add(items, edges));
    }
    enqueued_job add(std::string body, const enqueue_options& options) { return add({{std::move(body), options}})[0]; }
    /// A job whose end is kept.
    job_id add(std::string body) { return add(std::move(body), {.keep_outcome = 1h}).id; }

    exchange_reply claim(std::string_view body) {
        auto got = p.claim(1);
        REQUIRE(bodies_of(got) == words{std::string{body}});
        return got;
    }
    /// Ends the lease of one job, wherever it lies now.
    exchange_reply end(const exchange_reply& claimed, settlement s) {
        REQUIRE(claimed.claimed() == 1);
        const auto all = must(p.session.leases_now(p.worker));
        const auto now = std::find_if(all.begin(), all.end(),
                                      [&](const lease_news& n) { return n.ref.id == claimed.leases[0].ref.id; });
        REQUIRE(now != all.end());
        const std::string mask = mask_of({0});
        const lease_progress g{
            .ref = now->ref, .last = true, .mask = mask, .items = std::span{&s, 1}, .flagged = !now->flags.empty()};
        auto reply = p.progress(g);
        CHECK(reply.lost.empty());
        return reply;
    }
    /// Claims the best job, which must be this one, and ends it.
    void run(std::string_view body, const settlement& s = {.kind = settle_kind::done}) { (void)end(claim(body), s); }

    cancel_reply cancel(const std::vector<job_id>& ids) { return must(w.client().cancel(ids)); }
    sweep_reply sweep() { return must(w.client().sweep()); }

    static std::vector<ended_job> watch(session& s, const std::vector<job_id>& ids, duration keep = 1h) {
        std::vector<ended_job> ended{{.id = {77}}};
        must(s.watch(ids, keep, ended));
        return ended;
    }
    /// How the job has ended, or nothing.
    std::optional<ended_job> ended(job_id id) {
        auto all = watch(w.client(), {id});
        if (all.empty()) return std::nullopt;
        REQUIRE(all.size() == 1);
        CHECK(all[0].id == id);
        return std::move(all[0]);
    }
    /// As a letter; '-' for a job that has not ended.
    char end_of(job_id id) {
        const auto e = ended(id);
        return e ? static_cast<char>(e->kind) : '-';
    }

    driver_world<Driver> w;
    lane_id lane;
    party<session> p;
};

/// The ways in which a job can fail to succeed.
enum class failure : std::uint8_t { held, discarded, cancelled, expired };
inline constexpr failure failures[]{failure::held, failure::discarded, failure::cancelled, failure::expired};

inline char letter(failure f) noexcept { return "hxce"[static_cast<std::size_t>(f)]; }

/// What a job needs to fail in this way.
inline enqueue_options able_to_fail(failure f, std::string_view key = {}) {
    enqueue_options o{.unique_key = key, .keep_outcome = 1h};
    if (f == failure::expired) o.expires_at = at(time_point{1s});
    return o;
}
/// The job is the only one that is ready.
template <class Driver>
void make_fail(tracked_world<Driver>& t, job_id id, std::string_view body, failure f) {
    if (f == failure::held) t.run(body, {.kind = settle_kind::hold, .reason = "no"});
    if (f == failure::discarded) t.run(body, {.kind = settle_kind::discard, .reason = "no"});
    if (f == failure::cancelled) CHECK(t.cancel({id}).removed == 1);
    if (f == failure::expired) CHECK(t.sweep().expired == 1);
    CHECK(t.end_of(id) == letter(f));
}

template <class Driver, class Make>
void check_unique_keys(Make make) {
    using world = tracked_world<Driver>;
    SECTION("a second job with a unique key is not enqueued: the first is the answer") {
        world t{make()};
        const auto first = t.add("a", {.unique_key = "k"});
        CHECK(first.fresh);
        CHECK(t.add("b", {.unique_key = "k"}) == enqueued_job{.id = first.id, .fresh = false});
        CHECK(t.add("c", {.unique_key = "other"}).fresh);
        CHECK(t.add("d", {.priority = -1}).fresh);
        CHECK(bodies_of(t.p.claim(9)) == words{"a", "c", "d"});
    }
    SECTION("a key is one of its queue and entrypoint; any text, of any length, is one") {
        world t{make()};
        const std::string key = std::string(100'000, 'k') + "\xc3\xa9 '\"\\";
        for (const auto lane : {t.lane, t.w.lane("other"), t.w.lane("job", "other")}) {
            CHECK(t.add({{"x", {.unique_key = key}, lane}})[0].fresh);
            CHECK_FALSE(t.add({{"x", {.unique_key = key}, lane}})[0].fresh);
        }
    }
    SECTION("a key stays taken while its job is delayed, runs and is tried again, and is free when it is done") {
        world t{make()};
        const auto taken = [&] { return !t.add("y", {.unique_key = "k"}).fresh; };
        t.add("x", {.run_at = in(1ms), .unique_key = "k"});
        CHECK(taken());
        auto got = t.p.await_jobs(1);
        CHECK(taken());
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(taken());
        got = t.claim("x");
        (void)t.end(got, {.kind = settle_kind::release, .delay = 1ms});
        CHECK(taken());
        got = t.p.await_jobs(1);
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK_FALSE(taken());
    }
    SECTION("whatever ends a job frees its key") {
        for (const failure f : failures) {
            world t{make()};
            const auto first = t.add("a", able_to_fail(f, "k"));
            make_fail(t, first.id, "a", f);
            const auto second = t.add("b", {.unique_key = "k"});
            CHECK(second.fresh);
            CHECK(second.id != first.id);
        }
    }
    SECTION("a key taken while waiting is free once its job has begun, and its end takes nothing from the next") {
        world t{make()};
        const enqueue_options waiting{.unique_key = unique{"k"}.while_waiting()};
        const auto first = t.add("a", waiting);
        CHECK(t.add("b", waiting) == enqueued_job{.id = first.id, .fresh = false});
        const auto got = t.claim("a");
        const auto second = t.add("c", waiting);
        CHECK(second.fresh);
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK(t.add("d", waiting) == enqueued_job{.id = second.id, .fresh = false});
        CHECK(bodies_of(t.p.claim(9)) == words{"c"});
    }
    SECTION("a key taken for a period stays taken whatever becomes of its job, and is free afterwards") {
        world t{make()};
        const auto first = t.add("a", {.unique_key = unique{"k"}.during(1h)});
        t.run("a");
        CHECK(t.add("b", {.unique_key = "k"}) == enqueued_job{.id = first.id, .fresh = false});
        t.add("c", {.unique_key = unique{"short"}.during(1us)});
        CHECK(t.w.eventually([&] { return t.add("d", {.unique_key = unique{"short"}.during(1us)}).fresh; }));
    }
    SECTION("told to fail, a duplicate is an error, and nothing of the call is enqueued") {
        world t{make()};
        t.add("a", {.unique_key = "k"});
        const auto refused =
            t.try_add({{"b", {.unique_key = "free"}}, {"c", {.unique_key = unique{"k"}.or_fail()}}, {"d"}});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error() == errc::duplicate_key);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1});
        CHECK(t.add("e", {.unique_key = unique{"free"}.or_fail()}).fresh);
        const auto within = t.try_add({{"f", {.unique_key = "new"}}, {"g", {.unique_key = unique{"new"}.or_fail()}}});
        REQUIRE_FALSE(within.has_value());
        CHECK(within.error() == errc::duplicate_key);
        CHECK(bodies_of(t.p.claim(9)) == words{"a", "e"});
    }
    SECTION("the answers of a call are one to one, and of several with one key the first wins") {
        world t{make()};
        const auto there = t.add("there", {.unique_key = "old"});
        const auto jobs = t.add({{"a", {.unique_key = "k"}},
                                 {"b", {.unique_key = "old"}},
                                 {"c"},
                                 {"d", {.unique_key = "k"}},
                                 {"e", {.unique_key = "k2"}},
                                 {"f", {.unique_key = "old"}}});
        const auto same = [](job_id id) { return enqueued_job{.id = id, .fresh = false}; };
        CHECK(jobs[0].fresh);
        CHECK(jobs[1] == same(there.id));
        CHECK(jobs[2].fresh);
        CHECK(jobs[3] == same(jobs[0].id));
        CHECK(jobs[4].fresh);
        CHECK(jobs[5] == same(there.id));
        CHECK(bodies_of(t.p.claim(9)) == words{"there", "a", "c", "e"});
    }
    SECTION("the options of one are those of all when only one set is given") {
        world t{make()};
        const enqueue_options all{.unique_key = "k"};
        const std::vector lanes(3, t.lane);
        const bodies b = driver_world<Driver>::packed({"a", "b", "c"});
        std::vector<enqueued_job> jobs(7);
        must(t.w.client().enqueue_tracked({.lanes = lanes, .bodies = &b, .options = std::span{&all, 1}}, jobs));
        REQUIRE(jobs.size() == 3);
        CHECK((jobs[0].fresh && !jobs[1].fresh && !jobs[2].fresh));
        CHECK(bodies_of(t.p.claim(9)) == words{"a"});
    }
}

template <class Driver, class Make>
void check_replacement(Make make) {
    using world = tracked_world<Driver>;
    const enqueue_options replacing{.unique_key = unique{"k"}.or_replace()};
    SECTION("a job that waits gets the payload of one that replaces it, and nothing else of it") {
        world t{make()};
        const std::vector<header> headers{{"h", "v"}};
        const auto first = t.add("a", {.priority = 3, .headers = headers, .unique_key = "k"});
        const std::string bytes{"zero \0 byte", 11};
        CHECK(t.add(bytes, replacing) == enqueued_job{.id = first.id, .fresh = false});
        const auto got = t.p.claim(9);
        CHECK(bodies_of(got) == words{bytes});
        CHECK(ids_of(got) == std::vector{first.id});
        CHECK(in_order(got)[0].rank == rank::of(3));
        REQUIRE(in_order(got)[0].headers.size() == 1);
        CHECK(in_order(got)[0].headers[0].value == "v");
    }
    SECTION("one that is delayed or blocked gets the payload and keeps waiting") {
        world t{make()};
        const auto parent = t.add("parent");
        t.add("late", {.run_at = in(1h), .unique_key = "late"});
        const auto blocked = t.add("blocked", {.unique_key = "blocked", .after = std::span{&parent, 1}});
        CHECK_FALSE(t.add("later", {.unique_key = unique{"late"}.or_replace()}).fresh);
        CHECK_FALSE(t.add("unblocked", {.unique_key = unique{"blocked"}.or_replace()}).fresh);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .deferred = 2});
        t.run("parent");
        const auto got = t.p.claim(9);
        CHECK(bodies_of(got) == words{"unblocked"});
        CHECK(ids_of(got) == std::vector{blocked.id});
    }
    SECTION("beside one that runs, the replacing job is enqueued and has the key from then on") {
        world t{make()};
        t.add("a", {.unique_key = "k"});
        const auto got = t.claim("a");
        const auto second = t.add("b", replacing);
        CHECK(second.fresh);
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK(t.add("c", {.unique_key = "k"}) == enqueued_job{.id = second.id, .fresh = false});
        CHECK(bodies_of(t.p.claim(9)) == words{"b"});
    }
    SECTION("within a call the first gets the payload of the last that replaces it") {
        world t{make()};
        const auto jobs = t.add({{"a", {.unique_key = "k"}}, {"b", replacing}, {"c", replacing}, {"d"}});
        CHECK(jobs[2] == enqueued_job{.id = jobs[0].id, .fresh = false});
        CHECK(bodies_of(t.p.claim(9)) == words{"c", "d"});
    }
    SECTION("of several in a call that replace one that waits, it gets the payload of the last") {
        world t{make()};
        const auto first = t.add("a", {.unique_key = "k"});
        const auto jobs = t.add({{"b", replacing}, {"c", {.unique_key = "k"}}, {"d", replacing}});
        for (const auto& j : jobs) CHECK(j == enqueued_job{.id = first.id, .fresh = false});
        CHECK(bodies_of(t.p.claim(9)) == words{"d"});
    }
    SECTION("one that debounces moves the job to its own time as well, later or earlier") {
        world t{make()};
        const unique k = unique{"k"}.or_debounce();
        const auto first = t.add("a", {.run_at = in(1ms), .unique_key = k});
        for (const auto& body : {"b", "c"}) CHECK_FALSE(t.add(body, {.run_at = in(1h), .unique_key = k}).fresh);
        CHECK(t.p.exchange({.look_ahead = true}).next_due.value() > 58min);
        CHECK_FALSE(t.add("d", {.unique_key = k}).fresh);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1});
        const auto got = t.p.claim(9);
        CHECK(bodies_of(got) == words{"d"});
        CHECK(ids_of(got) == std::vector{first.id});
    }
    SECTION("a ready job is debounced to a later time, but not to one that is over") {
        world t{make()};
        const unique k = unique{"k"}.or_debounce();
        t.add("a", {.unique_key = k});
        CHECK_FALSE(t.add("b", {.run_at = at(time_point{1s}), .unique_key = k}).fresh);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1});
        CHECK_FALSE(t.add("c", {.run_at = in(1h), .unique_key = k}).fresh);
        CHECK(t.w.counts(t.lane) == lane_counts{.deferred = 1});
        CHECK(t.p.claim(9).leases.empty());
    }
    SECTION("a blocked job that is debounced waits for its time when its parent has ended") {
        world t{make()};
        const auto parent = t.add("parent");
        const unique k = unique{"k"}.or_debounce();
        t.add("a", {.unique_key = k, .after = std::span{&parent, 1}});
        CHECK_FALSE(t.add("b", {.run_at = in(1h), .unique_key = k}).fresh);
        t.run("parent");
        CHECK(t.p.claim(9).leases.empty());
        CHECK(t.p.exchange({.look_ahead = true}).next_due.value() > 58min);
    }
}

template <class Driver, class Make>
void check_dependencies(Make make) {
    using world = tracked_world<Driver>;
    SECTION("a parent that is not known yet is not waited for, not even by itself") {
        world t{make()};
        const auto first = t.add("a");
        const std::vector<job_id> guessed{{first.value + 1}, {first.value + 2}};
        t.add({{"b", {.after = guessed}}, {"c", {.after = guessed}}});
        CHECK(bodies_of(t.p.claim(9)) == words{"a", "b", "c"});
    }
    SECTION("a job begins when the one it waits for is done, and not before") {
        world t{make()};
        const auto parent = t.add("parent");
        const auto child = t.add("child", {.priority = 9, .after = std::span{&parent, 1}});
        CHECK(child.fresh);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .deferred = 1});
        const auto got = t.claim("parent");
        CHECK(t.p.exchange({.lanes = t.p.lanes, .limit = 9, .promote = true}).leases.empty());
        CHECK_FALSE(t.p.exchange({.look_ahead = true}).next_due.has_value());
        (void)t.end(got, {.kind = settle_kind::retry});
        t.run("parent");
        const auto next = t.p.claim(9);
        CHECK(bodies_of(next) == words{"child"});
        CHECK(ids_of(next) == std::vector{child.id});
        CHECK(in_order(next)[0].attempt == 1);
        CHECK(in_order(next)[0].rank == rank::of(9));
    }
    SECTION("a sleeping worker is woken when a job need wait no more") {
        world t{make()};
        const auto other = t.w.lane("other");
        auto sleeper = t.w.worker({other});
        const auto parent = t.add("parent");
        t.add({{"child", {.after = std::span{&parent, 1}}, other}});
        const auto got = t.claim("parent");
        sleeper.fall_asleep();
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK(sleeper.is_woken());
        CHECK(bodies_of(sleeper.claim(1)) == words{"child"});
    }
    SECTION("jobs that were done, and jobs that never were, are not waited for") {
        world t{make()};
        const auto kept = t.add("kept");
        const auto forgotten = t.w.enqueue(t.lane, {"forgotten"}).at(0);
        t.run("kept");
        t.run("forgotten");
        const job_id parents[]{kept, forgotten, {kept.value + 1'000'000}};
        t.add("child", {.after = parents});
        CHECK(bodies_of(t.p.claim(9)) == words{"child"});
    }
    SECTION("jobs of one call wait for each other, over several lanes") {
        world t{make()};
        const auto other = t.w.lane("other");
        auto q = t.w.worker({other});
        t.add({{"third"}, {"second", {}, other}, {"first"}, {"free"}}, {{0, 1}, {1, 2}});
        CHECK(q.claim(9).leases.empty());
        t.run("first");
        CHECK(bodies_of(t.p.claim(9)) == words{"free"});
        const auto second = q.claim(9);
        CHECK(bodies_of(second) == words{"second"});
        const auto mask = mask_of({0});
        const settlement done{.kind = settle_kind::done};
        (void)q.progress(
            {.ref = second.leases.at(0).ref, .last = true, .mask = mask, .items = {&done, 1}, .flagged = true});
        CHECK(bodies_of(t.p.claim(9)) == words{"third"});
    }
    SECTION("a job waits for all its parents, those named twice counted once") {
        world t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        const std::vector named{parents[0], parents[1], parents[0]};
        t.add({{"child", {.after = named}}, {"c"}}, {{0, 1}, {0, 1}});
        for (const auto* body : {"a", "b", "c"}) {
            CHECK(t.w.counts(t.lane).deferred == 1);
            t.run(body);
        }
        CHECK(bodies_of(t.p.claim(9)) == words{"child"});
    }
    SECTION("one can wait for a job that was enqueued like any other, whether it waits or runs") {
        world t{make()};
        const auto waits = t.w.enqueue(t.lane, {"runs", "waits"});
        const auto runs = t.claim("runs");
        t.add("child", {.after = waits});
        (void)t.end(runs, {.kind = settle_kind::done});
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .deferred = 1});
        t.run("waits");
        CHECK(bodies_of(t.p.claim(9)) == words{"child"});
    }
    SECTION("a job that has waited for another still waits for its time") {
        world t{make()};
        const auto parent = t.add("parent");
        t.add({{"late", {.run_at = in(1h), .after = std::span{&parent, 1}}},
               {"past", {.run_at = at(time_point{1s}), .after = std::span{&parent, 1}}}});
        t.run("parent");
        CHECK(bodies_of(t.p.claim(9)) == words{"past"});
        CHECK(t.p.exchange({.look_ahead = true}).next_due.value() > 58min);
    }
    SECTION("who waits for a duplicate waits for the job that has the key") {
        world t{make()};
        t.add("old", {.unique_key = "old"});
        t.add({{"a", {.unique_key = "k"}},
               {"b", {.unique_key = "k"}},
               {"c", {.unique_key = "old"}},
               {"child of b"},
               {"child of c"}},
              {{3, 1}, {4, 2}});
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 2, .deferred = 2});
        t.run("old");
        t.run("a");
        CHECK(bodies_of(t.p.claim(9)) == words{"child of b", "child of c"});
    }
    SECTION("a child that is cancelled is waited for by nobody and waits for nobody") {
        world t{make()};
        const auto parent = t.add("parent");
        const auto child = t.add("child", {.after = std::span{&parent, 1}});
        CHECK(t.cancel({child.id}) == cancel_reply{.removed = 1});
        t.run("parent");
        CHECK(t.w.counts(t.lane) == lane_counts{});
    }
    SECTION("a new child of a held job that was requeued waits for it") {
        world t{make()};
        const auto parent = t.add("parent");
        t.run("parent", {.kind = settle_kind::hold});
        CHECK(must(t.w.client().requeue(std::span{&parent, 1})) == 1);
        t.add("child", {.after = std::span{&parent, 1}});
        t.run("parent");
        CHECK(bodies_of(t.p.claim(9)) == words{"child"});
    }
}

template <class Driver, class Make>
void check_failing_parents(Make make) {
    using world = tracked_world<Driver>;
    const parent_failure policies[]{parent_failure::run, parent_failure::hold, parent_failure::cancel};
    const auto check_child = [](world& t, job_id child, job_id parent, parent_failure policy) {
        if (policy == parent_failure::run) {
            CHECK(bodies_of(t.p.claim(9)) == words{"child"});
            return;
        }
        const bool holds = policy == parent_failure::hold;
        const auto e = t.ended(child);
        REQUIRE(e.has_value());
        CHECK(e->kind == (holds ? end_kind::held : end_kind::cancelled));
        CHECK(e->attempts == 0);
        CHECK(e->reason.find("it waited for job " + std::to_string(parent.value) + ", which ") == 0);
        CHECK(t.p.promote_and_claim(9).leases.empty());
        const auto held = t.w.held(t.lane);
        const auto at = std::find_if(held.begin(), held.end(), [&](const held_job& h) { return h.id == child; });
        REQUIRE((at != held.end()) == holds);
        if (!holds) return;
        CHECK(at->reason == e->reason);
        CHECK(must(t.w.client().requeue(std::span{&child, 1})) == 1);
        CHECK(bodies_of(t.p.claim(9)) == words{"child"});
    };
    SECTION("a job that waits for one which fails is run, held or cancelled, as it says, however that one fails") {
        for (const failure f : failures)
            for (const parent_failure policy : policies) {
                INFO("parent " << letter(f) << ", child " << static_cast<char>(policy));
                world t{make()};
                const auto parent = t.add("parent", able_to_fail(f)).id;
                const auto child =
                    t.add("child", {.after = std::span{&parent, 1}, .if_parent_fails = policy, .keep_outcome = 1h});
                make_fail(t, parent, "parent", f);
                check_child(t, child.id, parent, policy);
            }
    }
    SECTION("so is a job that is enqueued after the other has failed, as long as that is known") {
        for (const failure f : failures)
            for (const parent_failure policy : policies) {
                INFO("parent " << letter(f) << ", child " << static_cast<char>(policy));
                world t{make()};
                const auto parent = t.add("parent", able_to_fail(f)).id;
                make_fail(t, parent, "parent", f);
                const auto child =
                    t.add("child", {.after = std::span{&parent, 1}, .if_parent_fails = policy, .keep_outcome = 1h});
                CHECK(child.fresh);
                check_child(t, child.id, parent, policy);
            }
    }
    SECTION("failures go down a chain, up to one that runs all the same") {
        world t{make()};
        const auto kept = [](parent_failure then) {
            return enqueue_options{.if_parent_fails = then, .keep_outcome = 1h};
        };
        const auto jobs = t.add({{"a", kept(parent_failure::hold)},
                                 {"b", kept(parent_failure::cancel)},
                                 {"c", kept(parent_failure::hold)},
                                 {"d", kept(parent_failure::run)},
                                 {"e", kept(parent_failure::cancel)}},
                                {{1, 0}, {2, 1}, {3, 2}, {4, 3}});
        t.run("a", {.kind = settle_kind::discard});
        CHECK(t.end_of(jobs[1].id) == 'c');
        CHECK(t.end_of(jobs[2].id) == 'h');
        CHECK(t.ended(jobs[2].id)->reason ==
              "it waited for job " + std::to_string(jobs[1].id.value) + ", which was cancelled");
        t.run("d");
        t.run("e");
        CHECK(t.w.counts(t.lane) == lane_counts{.held = 1});
    }
    SECTION("a chain fails too when its first job finds that its parent has failed already") {
        world t{make()};
        const auto parent = t.add("parent");
        t.run("parent", {.kind = settle_kind::discard});
        const auto jobs = t.add({{"a", {.after = std::span{&parent, 1}, .if_parent_fails = parent_failure::cancel}},
                                 {"b", {.if_parent_fails = parent_failure::hold}}},
                                {{1, 0}});
        CHECK(t.end_of(jobs[1].id) == 'h');
        CHECK(t.w.counts(t.lane) == lane_counts{.held = 1});
    }
    SECTION("of several parents one that fails is enough; who runs all the same waits for all") {
        world t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        const auto jobs = t.add({{"held", {.after = parents, .keep_outcome = 1h}},
                                 {"runs", {.after = parents, .if_parent_fails = parent_failure::run}}});
        t.run("a", {.kind = settle_kind::discard});
        CHECK(t.end_of(jobs[0].id) == 'h');
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .deferred = 1, .held = 1});
        t.run("b");
        CHECK(bodies_of(t.p.claim(9)) == words{"runs"});
    }
    SECTION("of several parents one that has failed already is enough") {
        world t{make()};
        const std::vector parents{t.add("a"), t.add("b")};
        t.run("a", {.kind = settle_kind::discard});
        const auto child = t.add("child", {.after = parents});
        CHECK(t.end_of(child.id) == 'h');
        t.run("b");
        CHECK(t.w.counts(t.lane) == lane_counts{.held = 1});
    }
    SECTION("the key of a job that never began because another failed is free") {
        world t{make()};
        const auto parent = t.add("parent");
        t.add("child", {.unique_key = "k", .after = std::span{&parent, 1}});
        t.run("parent", {.kind = settle_kind::hold});
        CHECK(t.add("other", {.unique_key = "k"}).fresh);
    }
}

template <class Driver, class Make>
void check_watching(Make make) {
    using world = tracked_world<Driver>;
    SECTION("who watches a job is told when it has ended, and then how, with the result's very bytes") {
        world t{make()};
        const auto id = t.add("a");
        auto watcher = t.w.connect(session_role::client);
        CHECK(world::watch(watcher, {id}).empty());
        std::string bytes{"\0\xff result \0", 11};
        bytes.append(100'000, '\x80');
        t.run("a", {.kind = settle_kind::retry});
        t.run("a", {.kind = settle_kind::done, .result = bytes});
        CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
        const auto ended = world::watch(watcher, {id});
        REQUIRE(ended.size() == 1);
        CHECK(ended[0].id == id);
        CHECK(ended[0].kind == end_kind::done);
        CHECK(ended[0].attempts == 2);
        CHECK(ended[0].has_result);
        CHECK((ended[0].result == bytes));
    }
    SECTION("an empty result is one, and none is none") {
        world t{make()};
        const auto empty = t.add("empty"), none = t.add("none");
        t.run("empty", {.kind = settle_kind::done, .result = std::string_view{}});
        t.run("none");
        CHECK(t.ended(empty)->has_result);
        CHECK(t.ended(empty)->result.empty());
        CHECK_FALSE(t.ended(none)->has_result);
    }
    SECTION("other ends are told with attempts and reason, before they are asked for and after") {
        for (const failure f : failures) {
            INFO("job " << letter(f));
            world t{make()};
            const auto id = t.add("a", able_to_fail(f)).id;
            auto watcher = t.w.connect(session_role::client);
            CHECK(world::watch(watcher, {id}).empty());
            make_fail(t, id, "a", f);
            CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
            const auto e = t.ended(id);
            REQUIRE(e.has_value());
            CHECK(static_cast<char>(e->kind) == letter(f));
            const bool began = f == failure::held || f == failure::discarded;
            CHECK(e->attempts == (began ? 1 : 0));
            CHECK(e->reason == (began ? "no" : f == failure::expired ? "it expired" : ""));
            CHECK_FALSE(e->has_result);
        }
    }
    SECTION("watching answers with those that have ended, and only with those") {
        world t{make()};
        const auto done = t.add("a"), waits = t.add("b"), held = t.add("c"), never = job_id{waits.value + 1'000'000};
        t.run("a");
        CHECK(t.cancel({waits}).removed == 1);
        const auto open = t.add("d");
        t.run("c", {.kind = settle_kind::hold});
        std::string kinds;
        auto all = world::watch(t.w.client(), {open, done, waits, held, never});
        std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
        for (const auto& e : all) kinds += static_cast<char>(e.kind);
        CHECK(kinds == "dch?");
        CHECK(world::watch(t.w.client(), {}).empty());
    }
    SECTION("one can watch a job that was enqueued like any other, whether it waits, is delayed, runs or is held") {
        world t{make()};
        const auto ids = t.w.enqueue(t.lane, {"held", "runs", "ready"});
        const auto late = t.w.enqueue(t.lane, {"late"}, {.run_at = in(1h)}).at(0);
        (void)t.p.settle(t.claim("held"), {.kind = settle_kind::hold, .reason = "r"});
        const auto runs = t.claim("runs");
        auto watcher = t.w.connect(session_role::client);
        const auto held = world::watch(watcher, {ids[0], ids[1], ids[2], late});
        REQUIRE(held.size() == 1);
        CHECK(held[0].id == ids[0]);
        CHECK(held[0].kind == end_kind::held);
        CHECK(held[0].attempts == 1);
        CHECK(held[0].reason == "r");
        (void)t.end(runs, {.kind = settle_kind::done, .result = "1"});
        CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
        t.run("ready", {.kind = settle_kind::done, .result = "2"});
        CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
        CHECK(t.cancel({late}).removed == 1);
        CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
        CHECK(t.ended(ids[1])->result == "1");
        CHECK(t.ended(ids[2])->result == "2");
        CHECK(t.end_of(late) == 'c');
    }
    SECTION("how a job ended is unknown when nobody asked in time to keep it") {
        world t{make()};
        const auto plain = t.w.enqueue(t.lane, {"plain"}).at(0);
        const auto keyed = t.add("keyed", {.unique_key = "k"}).id;
        const auto brief = t.add("brief", {.keep_outcome = 1us}).id;
        for (const auto* body : {"plain", "keyed", "brief"}) t.run(body);
        CHECK(t.w.eventually([&] { return t.sweep().forgotten > 0; }));
        for (const auto id : {plain, keyed, brief}) CHECK(t.end_of(id) == '?');
    }
    SECTION("who watches has the outcome kept for at least as long as he asks") {
        world t{make()};
        const auto longer = t.add("longer", {.keep_outcome = 1us}).id, shorter = t.add("shorter");
        CHECK(world::watch(t.w.client(), {longer}, 1h).empty());
        CHECK(world::watch(t.w.client(), {shorter}, 1us).empty());
        t.run("longer");
        t.run("shorter");
        const auto brief = t.add("brief", {.keep_outcome = 1us}).id;
        t.run("brief");
        CHECK(t.w.eventually([&] { return t.sweep().forgotten > 0; }));
        CHECK(t.end_of(brief) == '?');
        CHECK(t.end_of(longer) == 'd');
        CHECK(t.end_of(shorter) == 'd');
    }
    SECTION("all who watch are told, and nobody else; another attempt is no end") {
        world t{make()};
        const auto id = t.add("a");
        auto one = t.w.connect(session_role::client), two = t.w.connect(session_role::client);
        auto other = t.w.connect(session_role::client);
        for (auto* s : {&one, &two, &one}) CHECK(world::watch(*s, {id}).empty());
        CHECK(world::watch(other, {t.add("z")}).empty());
        t.run("a", {.kind = settle_kind::retry});
        CHECK(must(one.wait(a_moment)) == wake_reason::timeout);
        t.run("a");
        CHECK(must(one.wait(long_enough)) == wake_reason::notified);
        CHECK(must(two.wait(long_enough)) == wake_reason::notified);
        CHECK(must(other.wait(a_moment)) == wake_reason::timeout);
    }
    SECTION("a wait that has begun ends when the job does") {
        world t{make()};
        const auto id = t.add("a");
        const auto got = t.claim("a");
        auto watcher = t.w.connect(session_role::client);
        CHECK(world::watch(watcher, {id}).empty());
        const auto mask = mask_of({0});
        const settlement done{.kind = settle_kind::done};
        const lease_progress last{
            .ref = got.leases[0].ref, .last = true, .mask = mask, .items = std::span{&done, 1}, .flagged = true};
        bool told = false;
        std::jthread worker{[&] {
            exchange_reply reply;
            told = t.p.try_exchange({.progressed = std::span{&last, 1}}, reply);
        }};
        CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
        worker.join();
        CHECK(told);
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("of the tracked jobs of a lease that ends, those that nothing is said of are done") {
        world t{make()};
        std::vector<job_id> ids;
        for (const auto* body : {"a", "b", "c"}) ids.push_back(t.add(body, {.keep_outcome = 1h}).id);
        const auto got = t.p.claim(3);
        REQUIRE(got.leases.size() == 1);
        std::vector<settlement> items;
        for (const auto& j : got.leases[0].jobs) {
            if (j.body == "b") items.push_back({j.index, settle_kind::discard, {}, "no", {}});
            if (j.body == "c") items.push_back({j.index, settle_kind::done, {}, {}, "result"});
        }
        const auto mask = mask_of({0, 1, 2});
        CHECK(t.p.progress({.ref = got.leases[0].ref, .last = true, .mask = mask, .items = items, .flagged = true})
                  .lost.empty());
        CHECK(t.end_of(ids[0]) == 'd');
        CHECK(t.end_of(ids[1]) == 'x');
        CHECK(t.ended(ids[1])->reason == "no");
        CHECK(t.end_of(ids[2]) == 'd');
        CHECK(t.ended(ids[2])->result == "result");
    }
    SECTION("a job whose worker died without attempts left has ended as held") {
        for (const std::int16_t attempts : {std::int16_t{1}, std::int16_t{2}}) {
            world t{make(), 100ms, attempts};
            const auto id = t.add("killer");
            (void)t.claim("killer");
            auto watcher = t.w.connect(session_role::client);
            CHECK(world::watch(watcher, {id}).empty());
            (void)t.w.rescue();
            CHECK(t.end_of(id) == (attempts == 1 ? 'h' : '-'));
            if (attempts > 1) continue;
            CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
            CHECK(t.ended(id)->reason == "its worker died");
            CHECK(t.ended(id)->attempts == 1);
        }
    }
    SECTION("a held job that is requeued has not ended, until it ends again") {
        world t{make()};
        const auto id = t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id;
        t.run("a", {.kind = settle_kind::hold});
        CHECK(t.end_of(id) == 'h');
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        CHECK(t.end_of(id) == '-');
        CHECK(t.add("b", {.unique_key = "k"}) == enqueued_job{.id = id, .fresh = false});
        t.run("a");
        CHECK(t.end_of(id) == 'd');
        CHECK(t.add("c", {.unique_key = "k"}).fresh);
    }
    SECTION("a held job whose key another has taken stays held until that one has ended") {
        world t{make()};
        const auto ids = std::vector{t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id};
        t.run("a", {.kind = settle_kind::hold});
        t.add("b", {.unique_key = "k"});
        CHECK(must(t.w.client().requeue(ids)) == 0);
        CHECK(t.end_of(ids[0]) == 'h');
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .held = 1});
        t.run("b");
        CHECK(must(t.w.client().requeue(ids)) == 1);
        t.run("a");
        CHECK(t.end_of(ids[0]) == 'd');
    }
    SECTION("a held job is requeued when the time of whoever took its key is over, and has the key until it ends") {
        for (const bool other_took_it : {false, true}) {
            world t{make()};
            const unique brief = unique{"k"}.during(1us);
            const auto ids = std::vector{t.add("a", {.unique_key = brief}).id};
            t.run("a", {.kind = settle_kind::hold});
            if (other_took_it) {
                CHECK(t.w.eventually([&] { return t.add("b", {.unique_key = brief}).fresh; }));
                t.run("b");
            } else {
                CHECK(t.w.eventually([&] { return t.sweep().forgotten == 1; }));
            }
            CHECK(t.w.eventually([&] { return must(t.w.client().requeue(ids)) == 1; }));
            CHECK(t.add("c", {.unique_key = "k"}) == enqueued_job{.id = ids[0], .fresh = false});
            t.run("a");
            CHECK(t.add("d", {.unique_key = "k"}).fresh);
        }
    }
    SECTION("of two held jobs with one key only one is requeued") {
        world t{make()};
        std::vector<job_id> ids;
        for (const auto* body : {"a", "b"}) {
            ids.push_back(t.add(body, {.unique_key = "k"}).id);
            t.run(body, {.kind = settle_kind::hold});
        }
        CHECK(must(t.w.client().requeue(ids)) == 1);
        CHECK(bodies_of(t.p.claim(9)) == words{"a"});
    }
}

template <class Driver, class Make>
void check_flags(Make make) {
    using world = tracked_world<Driver>;
    SECTION("a worker is told which of its jobs are tracked, in every attempt") {
        world t{make()};
        t.w.enqueue(t.lane, {"plain"});
        t.add("tracked");
        auto got = t.p.claim(9);
        CHECK(in_order(got).at(0).flags == 0);
        CHECK(in_order(got).at(1).flags == flag_tracked);
        must(t.p.session.give_back(laws::leases_of(got)));
        got = t.p.claim(9);
        CHECK(in_order(got).at(0).flags == 0);
        CHECK(in_order(got).at(1).flags == flag_tracked);
        must(t.p.session.give_back(laws::leases_of(got)));
        t.run("plain");
        t.run("tracked", {.kind = settle_kind::retry, .delay = 1ms});
        CHECK(in_order(t.p.await_jobs(1)).at(0).flags == flag_tracked);
    }
    SECTION("leases_now lists every lease of the worker, with the flags of its jobs as they are now") {
        world t{make()};
        auto other = t.w.worker({t.lane});
        CHECK(must(t.p.session.leases_now(t.p.worker)).empty());
        const auto ids = t.w.enqueue(t.lane, {"a", "b", "c", "d"});
        const auto got = t.p.claim(3);
        (void)other.claim(1);
        auto news = must(t.p.session.leases_now(t.p.worker));
        REQUIRE(news.size() == 1);
        CHECK(news[0].ref.id == got.leases.at(0).ref.id);
        CHECK(std::all_of(news[0].flags.begin(), news[0].flags.end(), [](auto f) { return f == 0; }));
        CHECK(world::watch(t.w.client(), {ids[1]}).empty());
        CHECK(t.cancel({ids[2]}) == cancel_reply{.stopping = 1});
        news = must(t.w.client().leases_now(t.p.worker));
        REQUIRE(news.size() == 1);
        REQUIRE(news[0].flags.size() == 3);
        for (const auto& j : got.leases[0].jobs)
            CHECK(news[0].flags[j.index] == (j.id == ids[1] ? flag_tracked : j.id == ids[2] ? flag_stop : 0));
    }
}

template <class Driver, class Make>
void check_stopping(Make make) {
    using world = tracked_world<Driver>;
    SECTION("cancelling ends what waits and asks what runs to stop, and says how many of each") {
        world t{make()};
        const auto parent = t.add("parent");
        const auto running = t.claim("parent");
        const auto blocked = t.add("blocked", {.after = std::span{&parent, 1}, .keep_outcome = 1h}).id;
        const auto held = t.add("held");
        t.run("held", {.kind = settle_kind::hold});
        const auto ready = t.add("ready"), late = t.add("late", {.run_at = in(1h), .keep_outcome = 1h}).id;
        const auto plain = t.w.enqueue(t.lane, {"plain"}).at(0);
        const std::vector all{parent, blocked, held, ready, late, plain, plain, job_id{plain.value + 1'000'000}};
        CHECK(t.cancel(all) == cancel_reply{.removed = 5, .stopping = 1});
        CHECK(t.w.counts(t.lane) == lane_counts{.leased = 1});
        for (const auto id : {blocked, held, ready, late}) CHECK(t.end_of(id) == 'c');
        CHECK(t.end_of(parent) == '-');
        CHECK(t.cancel(all) == cancel_reply{});
        CHECK(t.cancel({}) == cancel_reply{});
        (void)t.end(running, {.kind = settle_kind::done});
        CHECK(t.end_of(parent) == 'd');
    }
    SECTION("the session of the worker learns of it, once, and its wait ends; no other's does") {
        world t{make()};
        auto other = t.w.worker({t.lane});
        const auto id = t.add("a");
        (void)t.w.enqueue(t.lane, {"b"});
        const auto got = t.claim("a");
        REQUIRE(other.claim(1).claimed() == 1);
        CHECK_FALSE(t.p.session.stop_asked());
        CHECK_FALSE(must(t.p.session.beat(t.p.worker)).stop_asked);
        t.p.fall_asleep();
        other.fall_asleep();
        CHECK(t.cancel({id}).stopping == 1);
        CHECK(t.p.is_woken());
        CHECK(t.p.session.stop_asked());
        CHECK_FALSE(t.p.session.stop_asked());
        CHECK(must(t.p.session.beat(t.p.worker)).stop_asked);
        const auto news = must(t.p.session.leases_now(t.p.worker));
        REQUIRE(news.size() == 1);
        REQUIRE(news[0].flags.size() == 1);
        CHECK(news[0].flags[0] == (flag_tracked | flag_stop));
        CHECK_FALSE(other.is_woken(a_moment));
        CHECK_FALSE(other.session.stop_asked());
        CHECK_FALSE(must(other.session.beat(other.worker)).stop_asked);
    }
    SECTION("a worker that is not asleep learns of it too") {
        world t{make()};
        const auto id = t.add("a");
        (void)t.claim("a");
        CHECK(t.cancel({id}).stopping == 1);
        CHECK(t.w.eventually([&] {
            (void)must(t.p.session.wait(1ms));
            return t.p.session.stop_asked();
        }));
    }
    SECTION("a job that was asked to stop ends as what it ended as, and does not come back") {
        const std::pair<settle_kind, char> ways[]{{settle_kind::retry, 'c'},
                                                  {settle_kind::release, 'c'},
                                                  {settle_kind::done, 'd'},
                                                  {settle_kind::discard, 'x'},
                                                  {settle_kind::hold, 'h'}};
        for (const auto& [kind, end] : ways)
            for (const duration delay : {duration{0}, duration{1h}}) {
                INFO("settled as " << static_cast<char>(kind));
                world t{make()};
                const auto id = t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id;
                const auto got = t.claim("a");
                CHECK(t.cancel({id}).stopping == 1);
                CHECK_FALSE(t.add("b", {.unique_key = "k"}).fresh);
                CHECK(t.end_of(id) == '-');
                (void)t.end(got, {.kind = kind, .delay = delay, .reason = "why"});
                CHECK(t.end_of(id) == end);
                CHECK(t.ended(id)->reason == "why");
                CHECK(t.w.counts(t.lane) == lane_counts{.held = end == 'h' ? 1 : 0});
                CHECK(t.add("b", {.unique_key = "k"}).fresh);
            }
    }
    SECTION("given back, left behind or rescued it is cancelled") {
        for (const int how : {0, 1, 2}) {
            world t{make(), how == 2 ? duration{100ms} : duration{1min}, 1};
            const auto id = t.add("a");
            const auto plain = t.w.enqueue(t.lane, {"plain"}).at(0);
            REQUIRE(t.p.claim(2).claimed() == 2);
            CHECK(t.cancel({id, plain}).stopping == 2);
            auto watcher = t.w.connect(session_role::client);
            CHECK(world::watch(watcher, {id}).empty());
            if (how == 0) must(t.p.session.give_back(must(t.p.session.leases_of(t.p.worker))));
            if (how == 1) must(t.p.session.retire(t.p.worker));
            if (how == 2) CHECK(t.w.rescue().workers == 1);
            CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
            CHECK(t.end_of(id) == 'c');
            CHECK(t.w.counts(t.lane) == lane_counts{});
        }
    }
    SECTION("only those count as asked to stop that were not asked before") {
        world t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b"});
        REQUIRE(t.p.claim(2).claimed() == 2);
        CHECK(t.cancel({ids[0]}) == cancel_reply{.stopping = 1});
        CHECK(t.cancel(ids) == cancel_reply{.stopping = 1});
        CHECK(t.cancel(ids) == cancel_reply{});
    }
    SECTION("the other jobs of its lease go on, and a job that nobody tracks goes without a trace") {
        world t{make()};
        const auto ids = t.w.enqueue(t.lane, {"a", "b", "c"});
        const auto got = t.p.claim(3);
        CHECK(t.cancel({ids[1]}) == cancel_reply{.stopping = 1});
        const auto news = must(t.p.session.leases_now(t.p.worker));
        REQUIRE(news.size() == 1);
        const settlement items[]{{.index = 0, .kind = settle_kind::retry},
                                 {.index = 1, .kind = settle_kind::retry},
                                 {.index = 2, .kind = settle_kind::retry}};
        const auto mask = mask_of({0, 1, 2});
        const auto reply =
            t.p.progress({.ref = news[0].ref, .last = true, .mask = mask, .items = items, .flagged = true});
        CHECK(reply.lost.empty());
        CHECK(bodies_of(t.p.claim(9)) == words{"a", "c"});
        CHECK(t.end_of(ids[1]) == '?');
    }
    SECTION("held all the same and requeued, it runs and is not asked to stop any more") {
        world t{make()};
        const auto id = t.add("a");
        const auto got = t.claim("a");
        CHECK(t.cancel({id}).stopping == 1);
        (void)t.end(got, {.kind = settle_kind::hold});
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        const auto again = t.claim("a");
        CHECK(in_order(again)[0].flags == flag_tracked);
        CHECK_FALSE(must(t.p.session.beat(t.p.worker)).stop_asked);
        (void)t.end(again, {.kind = settle_kind::retry});
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("the children of a job that is cancelled while it runs follow when it has stopped") {
        world t{make()};
        const auto parent = t.add("parent");
        const auto child = t.add("child", {.after = std::span{&parent, 1}}).id;
        const auto got = t.claim("parent");
        CHECK(t.cancel({parent}).stopping == 1);
        CHECK(t.end_of(child) == '-');
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(t.end_of(child) == 'h');
    }
}

template <class Driver, class Make>
void check_taking_tracked(Make make) {
    using world = tracked_world<Driver>;
    const auto take = [](world& t) {
        take_reply reply;
        must(t.w.client().take({.lanes = std::span{&t.lane, 1}}, reply));
        REQUIRE(reply.jobs.size() == 1);
        return reply.jobs[0];
    };
    SECTION("a job that is taken for good is done: that is told, its key is free, its child begins") {
        world t{make()};
        const auto id = t.add("a", {.unique_key = "k", .keep_outcome = 1h}).id;
        t.add("child", {.after = std::span{&id, 1}});
        auto watcher = t.w.connect(session_role::client);
        CHECK(world::watch(watcher, {id}).empty());
        CHECK(take(t).body == "a");
        CHECK(must(watcher.wait(long_enough)) == wake_reason::notified);
        CHECK(t.end_of(id) == 'd');
        CHECK(bodies_of(t.p.claim(9)) == words{"child"});
        CHECK(t.add("b", {.unique_key = "k"}).fresh);
    }
    SECTION("one that was taken and put aside has ended as held, and can be requeued") {
        world t{make()};
        const auto id = t.add("a");
        must(t.w.client().keep(take(t), "unreadable"));
        CHECK(t.end_of(id) == 'h');
        CHECK(t.ended(id)->reason == "unreadable");
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        CHECK(t.end_of(id) == '-');
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
}

template <class Driver, class Make>
void check_expiry(Make make) {
    using world = tracked_world<Driver>;
    const enqueue_options late{.expires_at = at(time_point{1s}), .keep_outcome = 1h};
    SECTION("a job that has not begun in time never does, be it ready, delayed or blocked") {
        world t{make()};
        const auto parent = t.add("parent");
        auto delayed = late, blocked = late, not_yet = late;
        delayed.run_at = in(1h);
        blocked.after = std::span{&parent, 1};
        not_yet.expires_at = in(1h);
        const auto jobs = t.add({{"ready", late}, {"delayed", delayed}, {"blocked", blocked}, {"not yet", not_yet}});
        CHECK(t.sweep().expired == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(t.end_of(jobs[i].id) == 'e');
            CHECK(t.ended(jobs[i].id)->reason == "it expired");
        }
        CHECK(t.sweep().expired == 0);
        t.run("parent");
        CHECK(bodies_of(t.p.claim(9)) == words{"not yet"});
        CHECK(t.w.counts(t.lane) == lane_counts{.leased = 1});
    }
    SECTION("one that wants to be held is, and once requeued it does not expire again") {
        world t{make()};
        auto kept = late;
        kept.if_expired = on_expiry::hold;
        const auto id = t.add("a", kept).id;
        CHECK(t.sweep().expired == 1);
        CHECK(t.end_of(id) == 'h');
        REQUIRE(t.w.held(t.lane).size() == 1);
        CHECK(t.w.held(t.lane)[0].reason == "it expired");
        CHECK(t.w.held(t.lane)[0].body == "a");
        CHECK(t.sweep().expired == 0);
        CHECK(must(t.w.client().requeue(std::span{&id, 1})) == 1);
        CHECK(t.sweep().expired == 0);
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("what runs does not expire, nor does it when it is tried again after that") {
        world t{make()};
        const auto id = t.add("a", late).id;
        const auto got = t.claim("a");
        CHECK(t.sweep().expired == 0);
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(t.sweep().expired == 0);
        t.run("a");
        CHECK(t.end_of(id) == 'd');
    }
    SECTION("a job expires when its time has come") {
        world t{make()};
        const auto id = t.add("a", {.expires_at = in(1ms), .keep_outcome = 1h}).id;
        CHECK(t.w.eventually([&] { return t.sweep().expired == 1; }));
        CHECK(t.end_of(id) == 'e');
    }
    SECTION("a sweep forgets outcomes and keys whose time is over, and nothing else") {
        world t{make()};
        CHECK(t.sweep().forgotten == 0);
        const auto kept = t.add("kept", {.unique_key = unique{"long"}.during(1h), .keep_outcome = 1h}).id;
        t.run("kept");
        CHECK(t.sweep().forgotten == 0);
        const auto brief = t.add("brief", {.unique_key = unique{"short"}.during(1us), .keep_outcome = 1us}).id;
        t.run("brief");
        std::int64_t forgotten = 0;
        CHECK(t.w.eventually([&] { return (forgotten += t.sweep().forgotten) >= 2; }));
        CHECK(forgotten == 2);
        CHECK(t.end_of(brief) == '?');
        CHECK(t.end_of(kept) == 'd');
        CHECK_FALSE(t.add("again", {.unique_key = "long"}).fresh);
    }
}

}  // namespace pgq::laws
