#include <pgq/admin.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <support/catch.hpp>
#include <support/fake_session.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unit_admin_listing {

using namespace pgq;
using namespace std::chrono_literals;
using laws::must, laws::strings;
using fixture = laws::driver_fixture<driver::memory>;

namespace {

/// A search of jobs that finds one job in each of many pages, and remembers what it was asked.
struct sparse {
    std::vector<job_search> asked{};
    int pages = 0;
    int broken_sessions = 0;
};
struct sparse_session : test::fake_session {
    sparse* all = nullptr;
    bool broken = false;

    result<job_page> list_jobs(const job_search& r) {
        if (broken) return error_info{errc::connection_lost};
        all->asked.push_back(r);
        job_page page{.jobs = {{.id = {r.after.value + 10}}}};
        if (static_cast<int>(all->asked.size()) < all->pages) page.next = job_id{r.after.value + 20};
        return page;
    }
    result<std::vector<lane_statistics>> statistics(const statistics_request&) {
        return std::vector<lane_statistics>{};
    }
    result<std::vector<capped_counts>> counts_up_to(std::span<const lane_id>, std::int64_t) {
        return std::vector<capped_counts>{};
    }
    result<std::vector<job_failure>> latest_failures(std::span<const lane_id>, std::size_t) {
        return std::vector<job_failure>{};
    }
    result<bool> declare_schedule(std::string_view, const schedule_definition&) { return false; }
    result<schedule_list> schedules(std::string_view, std::span<const std::string>) { return schedule_list{}; }
    result<fire_reply> fire_schedules(std::string_view, std::span<const schedule_firing>) { return fire_reply{}; }
    result<schedule_change_reply> change_schedule(std::string_view, std::string_view, schedule_change,
                                                  std::string_view) {
        return schedule_change_reply{};
    }
    result<std::int64_t> prune_schedules(std::string_view, duration) { return std::int64_t{0}; }
};
struct sparse_driver {
    using policy_category = driver_tag;
    using session = sparse_session;
    sparse* all = nullptr;
    result<session> connect(session_role) const {
        session s;
        s.all = all;
        s.broken = all->broken_sessions-- > 0;
        return s;
    }
    result<void> install() const { return {}; }
};

}  // namespace

TEST_CASE("a page is filled by several searches, each behind the one before", "[admin]") {
    sparse all{.pages = 10};
    admin ops{sparse_driver{.all = &all}};
    const auto page = must(ops.jobs({}, {.most = 3, .patience = 1h}));
    CHECK(page.jobs.size() == 3);
    CHECK(page.next == job_id{59});
    REQUIRE(all.asked.size() == 3);
    CHECK(all.asked[0].most == 3);
    CHECK(all.asked[2].most == 1);
    CHECK(all.asked[2].after == job_id{39});
}

TEST_CASE("a page without patience is what one search has found", "[admin]") {
    sparse all{.pages = 10};
    admin ops{sparse_driver{.all = &all}};
    const auto page = must(ops.jobs({.after = {100}}, {.after = {50}, .most = 3, .patience = 0s}));
    CHECK(page.jobs.size() == 1);
    CHECK(page.next == job_id{120});
    CHECK(all.asked.size() == 1);
}

TEST_CASE("names without lanes select nothing, and nobody is asked for jobs", "[admin]") {
    sparse all{.pages = 10};
    admin ops{sparse_driver{.all = &all}};
    const auto page = must(ops.jobs({.queue = "unknown"}));
    CHECK(page.jobs.empty());
    CHECK_FALSE(page.next.has_value());
    CHECK(must(ops.cancel({.queue = "unknown"})) == bulk_reply{.complete = true});
    CHECK(must(ops.failed_groups("unknown")).empty());
    CHECK(all.asked.empty());
}

TEST_CASE("a session that broke is replaced by the next call", "[admin]") {
    sparse all{.pages = 1, .broken_sessions = 1};
    admin ops{sparse_driver{.all = &all}};
    CHECK(ops.jobs().error() == errc::connection_lost);
    CHECK(must(ops.jobs()).jobs.size() == 1);
}

TEST_CASE("an operator sees a store without its job types", "[admin]") {
    const driver::memory store;
    fixture w{store};
    admin ops{store};
    const auto lane = w.lane("send", "mail"), other = w.lane("send", "other");
    const auto ids = w.enqueue(lane, {"one", "two"}, {.priority = 2});
    (void)w.enqueue(other, {"three"});
    CHECK(must(ops.lanes()).size() == 2);
    CHECK(must(ops.lanes({.queue = "other"}))[0].id == other);
    const std::vector both{lane, other};
    CHECK(must(ops.counts(both))[0].ready == capped_count{2, false});
    CHECK(must(ops.counts(both, 1))[0].ready == capped_count{1, true});
    CHECK(must(ops.jobs({.entrypoint = "send"})).jobs.size() == 3);
    CHECK(must(ops.jobs({.queue = "mail", .lanes = {other}})).jobs.empty());
    CHECK(must(ops.payload_of(ids[1])) == "two");
    CHECK_FALSE(must(ops.payload_of({99})).has_value());
    CHECK(must(ops.job(ids[0]))->priority() == 2);
    CHECK(must(ops.failures(ids[0])).empty());
    CHECK_FALSE(must(ops.progress_of(ids[0])).has_value());
    auto p = w.worker({lane});
    CHECK(must(ops.workers())[0].id == p.worker);
    (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "no"});
    CHECK(must(ops.failed_groups("mail"))[0].example == ids[0]);
    CHECK(must(ops.failed_groups()).size() == 1);
    CHECK(must(ops.latest_failures(both)).size() == 1);
    CHECK(must(ops.statistics({.lanes = both, .last = 1h})).size() <= 1);
    CHECK(must(ops.forget_worker(p.worker, true)).forgotten);
    CHECK(ops.problems().has_value());
    CHECK(ops.install().has_value());
}

TEST_CASE("an operator sets rules", "[admin]") {
    const driver::memory store;
    fixture w{store};
    admin ops{store, {.time_limit = 10s}};
    const auto lane = w.lane("send", "mail"), dead = w.lane("send", "dead");
    CHECK(must(ops.pause("mail", "send", "maintenance")));
    CHECK_FALSE(must(ops.pause("mail", "send", "longer")));
    CHECK(must(ops.paused("mail"))[0].reason == "longer");
    CHECK(must(ops.lanes())[0].paused);
    CHECK(must(ops.resume("mail", "send")));
    CHECK(must(ops.drain("", "", "closing")));
    CHECK(must(ops.paused()).size() == 1);
    CHECK(must(ops.resume("", "")));
    must(ops.set_dead_letters(lane, dead));
    CHECK(must(ops.lanes())[0].dead_letters == dead);
    must(ops.set_dead_letters(lane, std::nullopt));
    CHECK_FALSE(must(ops.lanes())[0].dead_letters.has_value());
    must(ops.keep_failures(std::span{&lane, 1}, 1h));
    CHECK(must(ops.lanes())[0].keep_failures == 1h);
    CHECK(must(ops.limits("mail")).empty());
    CHECK_FALSE(must(ops.change_limit("mail", {})));
    CHECK(must(ops.schedules("mail")).all.empty());
    CHECK_FALSE(must(ops.change_schedule("mail", "none", schedule_change::pause)).changed);
    CHECK(must(ops.prune_schedules("mail", 1h)) == 0);
    CHECK(must(ops.purge()).purged == 0);
}

}  // namespace unit_admin_listing
