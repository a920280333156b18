#define CATCH_CONFIG_MAIN  // for version 2 of Catch2
#include <pgq/testing/laws/backoff.hpp>

#include <chrono>

namespace {

struct every_minute {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return std::chrono::minutes{1}; }
};

}  // namespace

TEST_CASE("a back-off of the consumer obeys the laws") {
    pgq::laws::check_backoff<every_minute>([] { return every_minute{}; });
}
