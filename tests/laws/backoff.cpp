#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/testing/laws/backoff.hpp>

#include "support/catch.hpp"

#include <chrono>

namespace laws_backoff {

using namespace pgq;
using namespace std::chrono_literals;

TEST_CASE("backoff::none keeps the back-off laws", "[backoff][laws]") {
    laws::check_backoff<backoff::none>([] { return backoff::none{}; });
}

TEST_CASE("backoff::fixed keeps the back-off laws", "[backoff][laws]") {
    const duration every = GENERATE(as<duration>{}, 10s, -1s, duration::max(), duration::min());
    laws::check_backoff<backoff::fixed>([every] { return backoff::fixed{.every = every}; });
}

TEST_CASE("backoff::linear keeps the back-off laws", "[backoff][laws]") {
    const auto setting = GENERATE(backoff::linear{}, backoff::linear{.step = duration::max(), .cap = duration::max()},
                                  backoff::linear{.first = -1s, .step = -1s, .cap = -1s});
    laws::check_backoff<backoff::linear>([setting] { return setting; });
}

TEST_CASE("backoff::exponential keeps the back-off laws", "[backoff][laws]") {
    const auto setting = GENERATE(backoff::exponential{}, backoff::exponential{.factor = 1e300, .cap = duration::max()},
                                  backoff::exponential{.first = duration::max(), .cap = duration::max()},
                                  backoff::exponential{.first = -1s, .factor = -2.0, .cap = -1s});
    laws::check_backoff<backoff::exponential>([setting] { return setting; });
}

TEST_CASE("backoff::jittered keeps the back-off laws", "[backoff][laws]") {
    const double spread = GENERATE(0.2, 0.0, 1.0, -1.0, 5.0);
    using longest = backoff::jittered<backoff::fixed>;
    laws::check_backoff<backoff::jittered<>>([spread] { return backoff::jittered<>{.spread = spread}; });
    laws::check_backoff<longest>([spread] { return longest{.inner = {.every = duration::max()}, .spread = spread}; });
}

}  // namespace laws_backoff
