#include <pgq/backoff/none.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <climits>
#include <type_traits>

namespace unit_backoff_none {

TEST_CASE("backoff::none has a delay of zero and no data", "[backoff][none]") {
    using pgq::backoff::none;
    STATIC_REQUIRE(std::is_empty_v<none>);
    CHECK(none{}.delay(1) == std::chrono::seconds{0});
    CHECK(none{}.delay(INT_MAX) == std::chrono::seconds{0});
}

}  // namespace unit_backoff_none
