#include <pgq/admin.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace unit_admin_actions {

using namespace pgq;
using namespace std::chrono_literals;
using laws::must, laws::strings;
using fixture = laws::driver_fixture<driver::memory>;

namespace {

/// A store with lanes of two queues, and an operator.
struct setting {
    driver::memory store{};
    fixture w{store};
    admin<driver::memory> ops{store};
    lane_id mail = w.lane("send", "mail"), other = w.lane("send", "other");

    /// Held jobs with this reason.
    std::vector<job_id> hold(lane_id lane, int n, std::string_view reason) {
        const auto ids = w.enqueue(lane, strings(static_cast<std::size_t>(n), "x"));
        auto p = w.worker({lane});
        for (int i = 0; i < n; ++i) (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = reason});
        return ids;
    }
};

}  // namespace

TEST_CASE("an action on a group takes its jobs, and none of a group with the same words", "[admin]") {
    setting s;
    const auto timeouts = s.hold(s.mail, 2, "timeout");
    (void)s.hold(s.mail, 3, "gateway timeout");
    (void)s.hold(s.mail, 1, "timeout\r\nin line 2");
    (void)s.hold(s.other, 4, "timeout");
    const job_selection group{.lanes = {s.mail}, .states = job_state::held, .group = "timeout"};
    CHECK(must(s.ops.preview(job_action::requeue, group)) == capped_count{3, false});
    CHECK(must(s.ops.jobs(group)).jobs.size() == 3);
    CHECK(must(s.ops.jobs({.reason = "line 2", .group = "timeout"})).jobs.size() == 1);
    CHECK(must(s.ops.requeue(group)).done == 3);
    CHECK(s.w.counts(s.mail).held == 3);
    CHECK(s.w.counts(s.other).held == 4);
    const std::string longest(500, 'x');
    (void)s.hold(s.other, 2, longest + "y");
    CHECK(must(s.ops.drop({.lanes = {s.other}, .group = longest})).done == 2);
}

TEST_CASE("an action takes all that match in batches, and reports each", "[admin]") {
    setting s;
    (void)s.hold(s.mail, 7, "smtp refused");
    (void)s.hold(s.mail, 2, "bad address");
    (void)s.hold(s.other, 3, "smtp refused");
    CHECK(must(s.ops.preview(job_action::requeue, {.queue = "mail", .reason = "smtp"})) == capped_count{7, false});
    CHECK(must(s.ops.preview(job_action::requeue, {}, 5)) == capped_count{5, true});
    std::vector<std::int64_t> reported;
    const auto done =
        must(s.ops.requeue({.queue = "mail", .reason = "smtp"}, {.batch = 3, .progress = [&](const bulk_reply& r) {
                                                                     reported.push_back(r.done);
                                                                     return true;
                                                                 }}));
    CHECK(done == bulk_reply{.matched = 7, .done = 7, .batches = 3, .complete = true});
    CHECK(reported == std::vector<std::int64_t>{3, 6, 7});
    CHECK(s.w.counts(s.mail).ready == 7);
    CHECK(s.w.counts(s.mail).held == 2);
    CHECK(s.w.counts(s.other).held == 3);
}

TEST_CASE("an action ends when its caller says so, or at its bound", "[admin]") {
    setting s;
    (void)s.hold(s.mail, 10, "no");
    const auto stopped =
        must(s.ops.drop({.queue = "mail"}, {.batch = 2, .progress = [](const bulk_reply&) { return false; }}));
    CHECK(stopped == bulk_reply{.matched = 2, .done = 2, .batches = 1});
    const auto bounded = must(s.ops.drop({.queue = "mail"}, {.batch = 2, .at_most = 3}));
    CHECK(bounded == bulk_reply{.matched = 3, .done = 3, .batches = 2});
    CHECK(s.w.counts(s.mail).held == 5);
    CHECK(must(s.ops.drop(job_selection{})).complete);
    CHECK(s.w.counts(s.mail).held == 0);
}

TEST_CASE("an action takes only jobs of the states that fit, and refuses states of which none fits", "[admin]") {
    setting s;
    const auto held = s.hold(s.mail, 2, "no");
    (void)s.w.enqueue(s.mail, {"ready"});
    (void)s.w.enqueue(s.mail, {"later"}, {.run_at = in(1h)});
    CHECK(must(s.ops.run_now(job_selection{})).done == 1);
    CHECK(must(s.ops.requeue(job_selection{})).done == 2);
    CHECK(s.ops.requeue({.states = job_state::ready}).error() == errc::invalid_option);
    CHECK(must(s.ops.cancel({.states = job_state::ready, .last = held.back()})).done == 2);
    CHECK(s.w.counts(s.mail).ready == 2);
}

TEST_CASE("an action on ids says how many were not in a fitting state", "[admin]") {
    setting s;
    const auto held = s.hold(s.mail, 2, "no");
    const auto ready = s.w.enqueue(s.mail, {"x"}).at(0);
    const std::array ids{ready, held[1], held[0], held[1], job_id{99'999}, job_id{-5}};
    CHECK(must(s.ops.requeue(ids)) ==
          bulk_reply{.matched = 5, .done = 2, .skipped = 3, .batches = 1, .complete = true});
    CHECK(must(s.ops.cancel(ids)) == bulk_reply{.matched = 3, .done = 3, .skipped = 2, .batches = 1, .complete = true});
    CHECK(must(s.ops.cancel(std::span<const job_id>{})) == bulk_reply{.complete = true});
    const auto many = s.w.enqueue(s.mail, strings(2500, "x"));
    CHECK(must(s.ops.cancel(many)).batches == 3);
    CHECK(s.w.counts(s.mail).ready == 0);
}

TEST_CASE("jobs move to a lane that there is", "[admin]") {
    setting s;
    const auto ids = s.w.enqueue(s.mail, {"a", "b", "c"});
    CHECK(must(s.ops.move(std::span{ids}.first(1), s.other)).done == 1);
    CHECK(must(s.ops.move({.queue = "mail"}, s.other)).done == 2);
    CHECK(s.w.counts(s.other).ready == 3);
    for (const lane_id none : {lane_id{0}, lane_id{-7}, lane_id{99}}) {
        CHECK(s.ops.move(ids, none).error() == errc::invalid_option);
        CHECK(s.ops.move(job_selection{}, none).error() == errc::invalid_option);
    }
    must(s.ops.drain("other", "", "it closes"));
    CHECK(s.ops.move(ids, s.other).error() == errc::draining);
}

TEST_CASE("numbers and texts that cannot be are refused", "[admin]") {
    setting s;
    for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1001}, INT64_MAX}) {
        CHECK(s.ops.jobs({}, {.most = n}).error() == errc::invalid_option);
        CHECK(s.ops.cancel(job_selection{}, {.batch = n}).error() == errc::invalid_option);
    }
    CHECK(s.ops.lanes({.most = 0}).error() == errc::invalid_option);
    CHECK(s.ops.workers({}, 0).error() == errc::invalid_option);
    for (const auto& bad : {std::string{"\xff"}, std::string{"a\0b", 3}}) {
        CHECK(s.ops.lanes({.queue = bad}).error() == errc::invalid_text);
        CHECK(s.ops.overview({.queue = bad}).error() == errc::invalid_text);
        CHECK(s.ops.jobs({.queue = bad}).error() == errc::invalid_text);
        CHECK(s.ops.jobs({.headers = {{"a", bad}}}).error() == errc::invalid_text);
        CHECK(s.ops.cancel({.reason = bad}).error() == errc::invalid_text);
        CHECK(s.ops.pause("mail", "send", bad).error() == errc::invalid_text);
    }
    CHECK(s.ops.pause("", "send", "why").error() == errc::invalid_option);
}

}  // namespace unit_admin_actions
