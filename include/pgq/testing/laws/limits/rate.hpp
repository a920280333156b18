#pragma once

#include <pgq/testing/laws/limits/fixture.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace pgq::laws {

template <class Driver, class Make>
void check_rate_limit(Make make) {
    SECTION("as many jobs as the burst start at once, then the reply says when to claim again") {
        limited_fixture<Driver> w{make(), {{.kind = limit_kind::rate, .amount = 1, .per = 1h, .burst = 2}}};
        w.w.enqueue(w.lane, {"a", "b", "c"});
        auto p = w.w.worker({w.lane});
        const auto got = w.claim(p, 9);
        CHECK(got.claimed() == 1);  // a new rate limit has one token
        REQUIRE(got.again.has_value());
        CHECK(*got.again > 30min);
        CHECK(*got.again <= 1h);
        CHECK(w.claim(p, 9).claimed() == 0);
        (void)p.finish(got);  // the end of a job returns no token
        CHECK(w.claim(p, 9).claimed() == 0);
    }
    SECTION("a rate limit saves as many tokens as its burst, and a lower burst drops those above it") {
        limit_spec fast{.kind = limit_kind::rate, .amount = 1'000'000'000, .per = 1s, .burst = 5};
        limited_fixture<Driver> w{make(), {fast}};
        w.w.enqueue(w.lane, strings(20, "x"));
        auto p = w.w.worker({w.lane});
        // It gains at least a thousand tokens between two claims.
        CHECK(w.claim(p, 9).claimed() == 5);
        CHECK(w.claim(p, 9).claimed() == 5);
        CHECK(w.claim(p, 1).claimed() == 1);
        const auto change = [&](std::int32_t burst) {
            const limit_spec slow{.kind = limit_kind::rate, .amount = 1, .per = 1h, .burst = burst};
            CHECK(must(w.w.client().change_limit("default", {.entrypoint = "job", .limit = slow})));
        };
        change(2);
        change(5);
        CHECK(w.claim(p, 9).claimed() == 2);
    }
    SECTION("tokens return over time, for all workers together") {
        limited_fixture<Driver> w{make(), {{.kind = limit_kind::rate, .amount = 100, .per = 1s, .burst = 5}}};
        w.w.enqueue(w.lane, strings(500, "x"));
        auto p = w.w.worker({w.lane}), q = w.w.worker({w.lane});
        const auto begin = std::chrono::steady_clock::now();
        std::size_t began = 0;
        while (std::chrono::steady_clock::now() - begin < 600ms) {
            for (auto* one : {&p, &q}) {
                const auto got = w.claim(*one, 9);
                began += got.claimed();
                if (got.again) (void)must(one->session.wait(std::min<duration>(*got.again, 50ms)));
            }
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
        CHECK(static_cast<double>(began) <= 100 * took.count() + 6);
        CHECK(began >= 10);
    }
}

}  // namespace pgq::laws
