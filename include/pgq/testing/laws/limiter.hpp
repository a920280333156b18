#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/testing/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace pgq::laws {

/// The laws of every limiter for one worker, which has `admit`, `began` and `ended`. `make()` returns a new one.
template <class Limiter, class Make>
void check_admission(Make make) {
    static_assert(limiter_policy<Limiter> && can_admit<Limiter> && can_count<Limiter>);
    using namespace std::chrono_literals;
    const steady_time start = steady_time{} + 1h;
    const auto take = [](Limiter& l, std::uint32_t wanted, steady_time now) {
        const std::uint32_t n = std::min(wanted, l.admit(now).most);
        if (n != 0) l.began(n, now);
        return n;
    };
    SECTION("a new limiter admits at least one job") {
        const Limiter l = make();
        CHECK(l.admit(start).most > 0);
    }
    SECTION("admit changes nothing: a second call returns the same") {
        Limiter l = make();
        (void)take(l, 3, start);
        const Limiter& asked = l;
        const admission first = asked.admit(start);
        CHECK(asked.admit(start) == first);
        CHECK(asked.admit(start) == first);
    }
    SECTION("a copy is independent") {
        Limiter l = make();
        const admission before = l.admit(start);
        Limiter copy = l;
        while (take(copy, 1000, start) != 0 && copy.admit(start).most != admission::any) {}
        CHECK(l.admit(start) == before);
    }
    SECTION("after the time that a refusal returns, or when all jobs have ended, it admits again") {
        Limiter l = make();
        steady_time now = start;
        std::uint32_t running = 0;
        for (int round = 0; round < 20; ++round) {
            const admission a = l.admit(now);
            if (a.most == admission::any) return;
            if (a.most != 0) {
                l.began(a.most, now);
                running += a.most;
                continue;
            }
            CHECK(a.again > duration{});
            if (a.again != duration::max()) now += std::min<duration>(a.again, std::chrono::hours{1000});
            l.ended(running, now);
            running = 0;
            CHECK(l.admit(now).most > 0);
        }
    }
    SECTION("a time that goes backwards admits no more jobs") {
        Limiter l = make();
        while (l.admit(start).most != 0 && take(l, 1000, start) != 1000) {}
        const std::uint32_t most = l.admit(start).most;
        CHECK(l.admit(start - 30min).most <= most);
    }
    SECTION("an end without a start does not admit more jobs") {
        Limiter l = make();
        const std::uint32_t most = l.admit(start).most;
        l.ended(5, start);
        CHECK(l.admit(start).most == most);
    }
}

/// The laws of every limiter for all workers together, which has `declare`. `make()` returns a new one.
template <class Limiter, class Make>
void check_declaration(Make make) {
    static_assert(limiter_policy<Limiter> && can_declare<Limiter>);
    SECTION("declare appends, and appends the same each time") {
        const Limiter l = make();
        std::vector<limit_spec> once, twice;
        l.declare(once);
        l.declare(twice);
        const std::size_t n = once.size();
        l.declare(twice);
        REQUIRE(twice.size() == 2 * n);
        for (std::size_t i = 0; i < n; ++i) CHECK((twice[i] == once[i] && twice[n + i] == once[i]));
    }
    SECTION("its limits are in the range of the database, and no two have the same kind and number") {
        const Limiter l = make();
        std::vector<limit_spec> all;
        l.declare(all);
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(all[i].amount >= 0);
            CHECK(all[i].burst >= 1);
            CHECK(all[i].per >= std::chrono::microseconds{1});
            for (std::size_t k = 0; k < i; ++k) CHECK((all[i].kind != all[k].kind || all[i].number != all[k].number));
        }
    }
}

/// The laws of every limiter by a key. `jobs` must have different keys.
template <class Limiter, class Job>
void check_keys(const std::vector<Job>& jobs) {
    static_assert(keyed_limiter<Limiter> && can_key<Limiter, Job>);
    SECTION("key appends, and appends the same for one job and different keys for different jobs") {
        std::vector<std::string> keys;
        for (const auto& job : jobs) {
            std::string key = "before:", again;
            Limiter{}.key(job, key);
            Limiter{}.key(job, again);
            CHECK(key == "before:" + again);
            keys.push_back(again);
        }
        std::sort(keys.begin(), keys.end());
        CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
    }
}

}  // namespace pgq::laws
