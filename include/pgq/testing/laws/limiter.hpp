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

/// What every limiter of one worker keeps: one that admits and counts. `make()` returns a new one.
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
    SECTION("a new one lets something begin") {
        const Limiter l = make();
        CHECK(l.admit(start).most > 0);
    }
    SECTION("asking takes nothing: the same question has the same answer") {
        Limiter l = make();
        (void)take(l, 3, start);
        const Limiter& asked = l;
        const admission first = asked.admit(start);
        CHECK(asked.admit(start) == first);
        CHECK(asked.admit(start) == first);
    }
    SECTION("a copy is on its own") {
        Limiter l = make();
        const admission before = l.admit(start);
        Limiter copy = l;
        while (take(copy, 1000, start) != 0 && copy.admit(start).most != admission::any) {}
        CHECK(l.admit(start) == before);
    }
    SECTION("who has to wait and waits as long as he is told, or until all have ended, is let begin") {
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
    SECTION("time that goes backwards lets nothing more begin") {
        Limiter l = make();
        while (l.admit(start).most != 0 && take(l, 1000, start) != 1000) {}
        const std::uint32_t most = l.admit(start).most;
        CHECK(l.admit(start - 30min).most <= most);
    }
    SECTION("an end too many is no place more") {
        Limiter l = make();
        const std::uint32_t most = l.admit(start).most;
        l.ended(5, start);
        CHECK(l.admit(start).most == most);
    }
}

/// What every limiter for all workers keeps: one that declares.
template <class Limiter, class Make>
void check_declaration(Make make) {
    static_assert(limiter_policy<Limiter> && can_declare<Limiter>);
    SECTION("it appends, and says the same each time") {
        const Limiter l = make();
        std::vector<limit_spec> once, twice;
        l.declare(once);
        l.declare(twice);
        const std::size_t n = once.size();
        l.declare(twice);
        REQUIRE(twice.size() == 2 * n);
        for (std::size_t i = 0; i < n; ++i) CHECK((twice[i] == once[i] && twice[n + i] == once[i]));
    }
    SECTION("its limits are such as a database takes, and have names of their own") {
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

/// What every limiter by a key keeps: `jobs` are some with different keys.
template <class Limiter, class Job>
void check_keys(const std::vector<Job>& jobs) {
    static_assert(keyed_limiter<Limiter> && can_key<Limiter, Job>);
    SECTION("a key is appended, the same for one job, another for another") {
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
