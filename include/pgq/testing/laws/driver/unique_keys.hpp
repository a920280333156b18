#pragma once

#include <pgq/testing/laws/driver/find_one.hpp>
#include <pgq/testing/laws/driver/tracked_fixture.hpp>

#include <chrono>
#include <span>
#include <string>
#include <utility>
#include <vector>

/// Laws of unique keys: how long a job has its key, and what becomes of a duplicate.
namespace pgq::laws {

template <class Driver, class Make>
void check_unique_keys(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("a second job with a unique key is not enqueued, and the call returns the first one's id") {
        fixture t{make()};
        const auto first = t.add("a", {.unique_key = "k"});
        CHECK(first.is_new);
        CHECK(t.add("b", {.unique_key = "k"}) == enqueued_job{.id = first.id, .is_new = false});
        CHECK(t.add("c", {.unique_key = "other"}).is_new);
        CHECK(t.add("d", {.priority = -1}).is_new);
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "c", "d"});
    }
    SECTION("a key belongs to its queue and entrypoint, and may be any text of any length") {
        fixture t{make()};
        const std::string key = std::string(100'000, 'k') + "\xc3\xa9 '\"\\";
        for (const auto lane : {t.lane, t.w.lane("other"), t.w.lane("job", "other")}) {
            CHECK(t.add({{"x", {.unique_key = key}, lane}})[0].is_new);
            CHECK_FALSE(t.add({{"x", {.unique_key = key}, lane}})[0].is_new);
        }
    }
    SECTION("a job has its key while it is delayed, runs and is retried, and frees it when it is done") {
        fixture t{make()};
        const auto taken = [&] { return !t.add("y", {.unique_key = "k"}).is_new; };
        t.add("x", {.run_at = in(1ms), .unique_key = "k"});
        CHECK(taken());
        auto got = t.p.claim_when_due(1);
        CHECK(taken());
        (void)t.end(got, {.kind = settle_kind::retry});
        CHECK(taken());
        got = t.claim("x");
        (void)t.end(got, {.kind = settle_kind::release, .delay = 1ms});
        CHECK(taken());
        got = t.p.claim_when_due(1);
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK_FALSE(taken());
    }
    SECTION("every kind of end frees the key") {
        for (const failure f : failures) {
            fixture t{make()};
            const auto first = t.add("a", able_to_fail(f, "k"));
            make_fail(t, first.id, "a", f);
            const auto second = t.add("b", {.unique_key = "k"});
            CHECK(second.is_new);
            CHECK(second.id != first.id);
        }
    }
    SECTION(
        "a key with scope while_waiting is free when its job begins, and the job's end does not free the next holder's "
        "key") {
        fixture t{make()};
        const enqueue_options waiting{.unique_key = unique{"k"}.while_waiting()};
        const auto first = t.add("a", waiting);
        CHECK(t.add("b", waiting) == enqueued_job{.id = first.id, .is_new = false});
        const auto got = t.claim("a");
        const auto second = t.add("c", waiting);
        CHECK(second.is_new);
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK(t.add("d", waiting) == enqueued_job{.id = second.id, .is_new = false});
        CHECK(bodies_of(t.p.claim(9)) == strings{"c"});
    }
    SECTION("a key for a period is taken for that time, also after its job has ended") {
        fixture t{make()};
        const auto first = t.add("a", {.unique_key = unique{"k"}.during(1h)});
        t.run("a");
        CHECK(t.add("b", {.unique_key = "k"}) == enqueued_job{.id = first.id, .is_new = false});
        t.add("c", {.unique_key = unique{"short"}.during(1us)});
        CHECK(t.w.eventually([&] { return t.add("d", {.unique_key = unique{"short"}.during(1us)}).is_new; }));
    }
    SECTION("with on_duplicate::fail, a duplicate is an error, and nothing of the call is enqueued") {
        fixture t{make()};
        t.add("a", {.unique_key = "k"});
        const auto refused =
            t.try_add({{"b", {.unique_key = "free"}}, {"c", {.unique_key = unique{"k"}.or_fail()}}, {"d"}});
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error() == errc::duplicate_key);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1});
        CHECK(t.add("e", {.unique_key = unique{"free"}.or_fail()}).is_new);
        const auto within = t.try_add({{"f", {.unique_key = "new"}}, {"g", {.unique_key = unique{"new"}.or_fail()}}});
        REQUIRE_FALSE(within.has_value());
        CHECK(within.error() == errc::duplicate_key);
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "e"});
    }
    SECTION("a call returns one answer for each job, and the first job with a key wins") {
        fixture t{make()};
        const auto there = t.add("there", {.unique_key = "old"});
        const auto jobs = t.add({{"a", {.unique_key = "k"}},
                                 {"b", {.unique_key = "old"}},
                                 {"c"},
                                 {"d", {.unique_key = "k"}},
                                 {"e", {.unique_key = "k2"}},
                                 {"f", {.unique_key = "old"}}});
        const auto same = [](job_id id) { return enqueued_job{.id = id, .is_new = false}; };
        CHECK(jobs[0].is_new);
        CHECK(jobs[1] == same(there.id));
        CHECK(jobs[2].is_new);
        CHECK(jobs[3] == same(jobs[0].id));
        CHECK(jobs[4].is_new);
        CHECK(jobs[5] == same(there.id));
        CHECK(bodies_of(t.p.claim(9)) == strings{"there", "a", "c", "e"});
    }
    SECTION("one set of options applies to all jobs of a call") {
        fixture t{make()};
        const enqueue_options all{.unique_key = "k"};
        const std::vector lanes(3, t.lane);
        const bodies b = driver_fixture<Driver>::packed({"a", "b", "c"});
        std::vector<enqueued_job> jobs(7);
        must(t.w.client().enqueue_tracked({.lanes = lanes, .bodies = &b, .options = std::span{&all, 1}}, jobs));
        REQUIRE(jobs.size() == 3);
        CHECK((jobs[0].is_new && !jobs[1].is_new && !jobs[2].is_new));
        CHECK(bodies_of(t.p.claim(9)) == strings{"a"});
    }
}

template <class Driver, class Make>
void check_request_ids(Make make) {
    using fixture = tracked_fixture<Driver>;
    SECTION("a second call with a request id enqueues nothing and returns the answer of the first one") {
        fixture t{make()};
        const auto holder = t.add("there", {.unique_key = "k"});
        const std::string id = std::string(100'000, 'r') + "\xc3\xa9 '\"\\";
        const auto call = [&] {
            return t.add({{"a", {.request_id = id}}, {"b", {.unique_key = "k"}}, {"c", {.run_at = in(1h)}}});
        };
        const auto first = call();
        CHECK((first[0].is_new && !first[1].is_new && first[2].is_new));
        CHECK(first[1].id == holder.id);
        CHECK(call() == first);
        CHECK(bodies_of(t.p.claim(9)) == strings{"there", "a"});
        CHECK(call() == first);
        CHECK(t.w.counts(t.lane).deferred == 1);
        CHECK(t.add("d", {.request_id = "other"}).is_new);
        CHECK(bodies_of(t.p.claim(9)) == strings{"d"});
    }
    SECTION("a request id belongs to its queue") {
        fixture t{make()};
        const auto first = t.add("a", {.request_id = "r"});
        CHECK(t.add({{"a", {.request_id = "r"}, t.w.lane("job", "other")}})[0].id != first.id);
        CHECK(t.add("a", {.request_id = "r"}) == first);
    }
    SECTION("a call that fails leaves no request id behind") {
        fixture t{make()};
        t.add("a", {.unique_key = "k"});
        CHECK_FALSE(t.try_add({{"b", {.request_id = "r"}}, {"c", {.unique_key = unique{"k"}.or_fail()}}}));
        CHECK(t.add("b", {.request_id = "r"}).is_new);
        CHECK(bodies_of(t.p.claim(9)) == strings{"a", "b"});
    }
    SECTION("a request id of a call with another number of jobs, or two in one call, are refused") {
        fixture t{make()};
        t.add("a", {.request_id = "r"});
        const auto more = t.try_add({{"a", {.request_id = "r"}}, {"b"}});
        REQUIRE_FALSE(more.has_value());
        CHECK(more.error() == errc::invalid_option);
        const auto two = t.try_add({{"a", {.request_id = "s"}}, {"b", {.request_id = "t"}}});
        REQUIRE_FALSE(two.has_value());
        CHECK(two.error() == errc::invalid_option);
        CHECK(bodies_of(t.p.claim(9)) == strings{"a"});
    }
    SECTION("every form of enqueue takes a request id") {
        fixture t{make()};
        const enqueue_options once{.request_id = "plain"}, packed{.packed = true, .request_id = "packed"};
        const bodies one = driver_fixture<Driver>::packed({"a"});
        const bodies many = driver_fixture<Driver>::packed(strings(20, "b"));
        std::vector<job_id> ids, again;
        for (const auto& [b, o] : {std::pair{&one, &once}, std::pair{&many, &packed}}) {
            const enqueue_request r{.lane = t.lane, .bodies = b, .options = {o, 1}};
            must(t.w.client().enqueue(r, ids));
            must(t.w.client().enqueue(r, again));
            CHECK(ids == again);
        }
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 21});
    }
    SECTION("an open transaction refuses a request id") {
        if constexpr (can_transact<typename Driver::session>) {
            fixture t{make()};
            auto& session = t.w.client();
            const enqueue_options o{.request_id = "r"};
            const bodies one = driver_fixture<Driver>::packed({"a"});
            std::vector<job_id> ids;
            must(session.begin());
            const auto refused = session.enqueue({.lane = t.lane, .bodies = &one, .options = {&o, 1}}, ids);
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error() == errc::invalid_option);
            must(session.rollback());
        }
    }
}

template <class Driver, class Make>
void check_replacement(Make make) {
    using fixture = tracked_fixture<Driver>;
    const enqueue_options replacing{.unique_key = unique{"k"}.or_replace()};
    SECTION("a replacing duplicate changes only the payload of the waiting job") {
        fixture t{make()};
        const std::vector<header> headers{{"h", "v"}};
        const auto first = t.add("a", {.priority = 3, .headers = headers, .unique_key = "k"});
        const std::string bytes{"zero \0 byte", 11};
        CHECK(t.add(bytes, replacing) == enqueued_job{.id = first.id, .is_new = false});
        const auto got = t.p.claim(9);
        CHECK(bodies_of(got) == strings{bytes});
        CHECK(ids_of(got) == std::vector{first.id});
        CHECK(in_order(got)[0].rank == rank::of(3));
        REQUIRE(in_order(got)[0].headers.size() == 1);
        CHECK(in_order(got)[0].headers[0].value == "v");
    }
    SECTION("a delayed or blocked job gets the new payload and keeps waiting") {
        fixture t{make()};
        const auto parent = t.add("parent");
        t.add("late", {.run_at = in(1h), .unique_key = "late"});
        const auto blocked = t.add("blocked", {.unique_key = "blocked", .after = std::span{&parent, 1}});
        CHECK_FALSE(t.add("later", {.unique_key = unique{"late"}.or_replace()}).is_new);
        CHECK_FALSE(t.add("unblocked", {.unique_key = unique{"blocked"}.or_replace()}).is_new);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1, .deferred = 1, .blocked = 1});
        t.run("parent");
        const auto got = t.p.claim(9);
        CHECK(bodies_of(got) == strings{"unblocked"});
        CHECK(ids_of(got) == std::vector{blocked.id});
    }
    SECTION("if the first job runs, the replacing job is enqueued and gets the key") {
        fixture t{make()};
        t.add("a", {.unique_key = "k"});
        const auto got = t.claim("a");
        const auto second = t.add("b", replacing);
        CHECK(second.is_new);
        (void)t.end(got, {.kind = settle_kind::done});
        CHECK(t.add("c", {.unique_key = "k"}) == enqueued_job{.id = second.id, .is_new = false});
        CHECK(bodies_of(t.p.claim(9)) == strings{"b"});
    }
    SECTION("within a call, the first job gets the payload of the last duplicate") {
        fixture t{make()};
        const auto jobs = t.add({{"a", {.unique_key = "k"}}, {"b", replacing}, {"c", replacing}, {"d"}});
        CHECK(jobs[2] == enqueued_job{.id = jobs[0].id, .is_new = false});
        CHECK(bodies_of(t.p.claim(9)) == strings{"c", "d"});
    }
    SECTION("a waiting job gets the payload of the last of several duplicates in one call") {
        fixture t{make()};
        const auto first = t.add("a", {.unique_key = "k"});
        const auto jobs = t.add({{"b", replacing}, {"c", {.unique_key = "k"}}, {"d", replacing}});
        for (const auto& j : jobs) CHECK(j == enqueued_job{.id = first.id, .is_new = false});
        CHECK(bodies_of(t.p.claim(9)) == strings{"d"});
    }
    SECTION("a debouncing duplicate also changes the run time, to later or earlier") {
        fixture t{make()};
        const unique k = unique{"k"}.or_debounce();
        const auto first = t.add("a", {.run_at = in(1ms), .unique_key = k});
        for (const auto& body : {"b", "c"}) CHECK_FALSE(t.add(body, {.run_at = in(1h), .unique_key = k}).is_new);
        CHECK(t.p.sync({.peek_next_due = true}).next_due.value() > 58min);
        CHECK_FALSE(t.add("d", {.unique_key = k}).is_new);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1});
        const auto got = t.p.claim(9);
        CHECK(bodies_of(got) == strings{"d"});
        CHECK(ids_of(got) == std::vector{first.id});
    }
    SECTION("within a call, the first job gets the run time of the last duplicate that debounces") {
        fixture t{make()};
        const unique k = unique{"k"}.or_debounce(), other = unique{"other"}.or_debounce();
        const auto jobs = t.add({{"a", {.unique_key = k}},
                                 {"b", {.run_at = in(1h), .unique_key = k}},
                                 {"c", {.run_at = in(2h), .unique_key = k}},
                                 {"d", replacing},
                                 {"e", {.run_at = in(1h), .unique_key = other}},
                                 {"f", {.unique_key = other}}});
        CHECK(jobs[2] == enqueued_job{.id = jobs[0].id, .is_new = false});
        const auto late = find_in(t.w, jobs[0].id, job_state::deferred);
        CHECK(late.body == "d");
        CHECK(late.run_at == late.enqueued_at + 2h);
        CHECK(bodies_of(t.p.claim(9)) == strings{"f"});
    }
    SECTION("a ready job is debounced to a later time, but not to a past one") {
        fixture t{make()};
        const unique k = unique{"k"}.or_debounce();
        t.add("a", {.unique_key = k});
        CHECK_FALSE(t.add("b", {.run_at = at(time_point{1s}), .unique_key = k}).is_new);
        CHECK(t.w.counts(t.lane) == lane_counts{.ready = 1});
        CHECK_FALSE(t.add("c", {.run_at = in(1h), .unique_key = k}).is_new);
        CHECK(t.w.counts(t.lane) == lane_counts{.deferred = 1});
        CHECK(t.p.claim(9).leases.empty());
    }
    SECTION("a blocked job that is debounced waits for its new run time after its parent has ended") {
        fixture t{make()};
        const auto parent = t.add("parent");
        const unique k = unique{"k"}.or_debounce();
        t.add("a", {.unique_key = k, .after = std::span{&parent, 1}});
        CHECK_FALSE(t.add("b", {.run_at = in(1h), .unique_key = k}).is_new);
        t.run("parent");
        CHECK(t.p.claim(9).leases.empty());
        CHECK(t.p.sync({.peek_next_due = true}).next_due.value() > 58min);
    }
}

}  // namespace pgq::laws
