#pragma once

#include <pgq/testing/laws/driver/fixture.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// The fixture for the laws of tracked jobs.
namespace pgq::laws {

/// A lane with one worker, and functions for tracked jobs.
template <class Driver>
struct tracked_fixture {
    using session = typename Driver::session;

    struct item {
        std::string body{};
        enqueue_options options{};
        std::optional<lane_id> lane{};  ///< none: the fixture's lane
    };

    explicit tracked_fixture(Driver d, duration lease_time = 1min, std::int16_t attempts = 5)
        : w{std::move(d)}, lane{w.lane()}, p{w.worker({lane}, lease_time, attempts)} {}

    result<std::vector<enqueued_job>> try_add(const std::vector<item>& items, const std::vector<edge>& edges = {}) {
        strings texts;
        std::vector<lane_id> lanes;
        std::vector<enqueue_options> options;
        for (const item& i : items) {
            texts.push_back(i.body);
            lanes.push_back(i.lane.value_or(lane));
            options.push_back(i.options);
        }
        const bodies b = driver_fixture<Driver>::packed(texts);
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
    /// A job whose outcome is kept for an hour.
    job_id add(std::string body) { return add(std::move(body), {.keep_outcome = 1h}).id; }

    sync_reply claim(std::string_view body) {
        auto got = p.claim(1);
        REQUIRE(bodies_of(got) == strings{std::string{body}});
        return got;
    }
    /// Ends a lease of one job. Its row may have moved since the claim.
    sync_reply end(const sync_reply& claimed, settlement s) {
        REQUIRE(claimed.claimed() == 1);
        const auto all = must(p.session.lease_updates(p.worker));
        const auto now = std::find_if(all.begin(), all.end(),
                                      [&](const lease_update& n) { return n.ref.id == claimed.leases[0].ref.id; });
        REQUIRE(now != all.end());
        const std::string mask = mask_of({0});
        const lease_progress g{
            .ref = now->ref, .last = true, .mask = mask, .items = std::span{&s, 1}, .flagged = !now->flags.empty()};
        auto reply = p.progress(g);
        CHECK(reply.lost.empty());
        return reply;
    }
    /// Claims the first job, which must have this payload, and settles it.
    void run(std::string_view body, const settlement& s = {.kind = settle_kind::done}) { (void)end(claim(body), s); }

    cancel_reply cancel(const std::vector<job_id>& ids) { return must(w.client().cancel(ids)); }
    purge_reply expire_and_purge() { return must(w.client().expire_and_purge()); }

    /// Waits until `time` has passed by the store's clock. All other jobs whose time runs out meanwhile expire, too.
    void pass(duration time) {
        (void)add({{"a job that expires", {.expires_at = in(time)}, w.lane("expires")}});
        REQUIRE(w.eventually([&] { return expire_and_purge().expired > 0; }));
    }

    static std::vector<ended_job> watch(session& s, const std::vector<job_id>& ids, duration keep = 1h) {
        std::vector<ended_job> ended{{.id = {77}}};
        must(s.watch(ids, keep, ended));
        return ended;
    }
    /// The outcome of the job; none if it has not ended.
    std::optional<ended_job> ended(job_id id) {
        auto all = watch(w.client(), {id});
        if (all.empty()) return std::nullopt;
        REQUIRE(all.size() == 1);
        CHECK(all[0].id == id);
        return std::move(all[0]);
    }
    /// The outcome as a letter; '-' if the job has not ended.
    char end_of(job_id id) {
        const auto e = ended(id);
        return e ? static_cast<char>(e->kind) : '-';
    }

    driver_fixture<Driver> w;
    lane_id lane;
    test_worker<session> p;
};

/// The ways in which a job can end without success.
enum class failure : std::uint8_t { held, discarded, cancelled, expired };
inline constexpr failure failures[]{failure::held, failure::discarded, failure::cancelled, failure::expired};

inline char letter(failure f) noexcept { return "hxce"[static_cast<std::size_t>(f)]; }

/// The options that a job needs to fail in this way.
inline enqueue_options able_to_fail(failure f, std::string_view key = {}) {
    enqueue_options o{.unique_key = key, .keep_outcome = 1h};
    if (f == failure::expired) o.expires_at = at(time_point{1s});
    return o;
}
/// The job must be the only ready one.
template <class Driver>
void make_fail(tracked_fixture<Driver>& t, job_id id, std::string_view body, failure f) {
    if (f == failure::held) t.run(body, {.kind = settle_kind::hold, .reason = "no"});
    if (f == failure::discarded) t.run(body, {.kind = settle_kind::discard, .reason = "no"});
    if (f == failure::cancelled) CHECK(t.cancel({id}).removed == 1);
    if (f == failure::expired) CHECK(t.expire_and_purge().expired == 1);
    CHECK(t.end_of(id) == letter(f));
}

}  // namespace pgq::laws
