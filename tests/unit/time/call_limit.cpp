#include <pgq/time/call_limit.hpp>

#include <support/catch.hpp>

#include <chrono>

namespace unit_time_call_limit {

using namespace std::chrono_literals;
using pgq::call_limit;
using pgq::steady_time;

TEST_CASE("a call ends at its own deadline or at the limit, whichever is earlier", "[time][call_limit]") {
    constexpr steady_time begun{1h};
    call_limit l;
    CHECK(l.bound(begun + 30s, begun) == begun + 30s);
    l.set(begun + 2s);
    CHECK(l.bound(begun + 30s, begun) == begun + 2s);
    CHECK(l.bound(begun + 1s, begun) == begun + 1s);
    l.bring_forward(begun + 3s);
    CHECK(l.at() == begun + 2s);
    l.bring_forward(begun + 1s);
    CHECK(l.at() == begun + 1s);
    l.clear();
    CHECK(l.bound(begun + 30s, begun) == begun + 30s);
}

TEST_CASE("a call that begins behind the limit still has half a second", "[time][call_limit]") {
    constexpr steady_time begun{1h};
    call_limit l;
    l.set(begun - 1s);
    CHECK(l.bound(begun + 30s, begun) == begun + 500ms);
    CHECK(l.bound(begun + 100ms, begun) == begun + 100ms);
}

}  // namespace unit_time_call_limit
