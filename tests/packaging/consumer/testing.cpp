// The laws test a policy of the consumer.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER  // version 2 of Catch2
#endif
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

bool run_testing() { return Catch::Session{}.run() == 0; }
