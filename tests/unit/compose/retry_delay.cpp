#include <pgq/compose/retry_delay.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>

namespace unit_compose_retry_delay {

namespace {

using namespace std::chrono_literals;

struct by_minutes {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int attempt) const noexcept { return attempt * 1min; }
};

template <std::size_t N>
pgq::duration delay_with(const std::array<pgq::header, N>& headers) {
    return pgq::detail::retry_delay<by_minutes>({.attempt = 2, .headers = headers});
}

}  // namespace

TEST_CASE("the policy gives the delay of a failed job by its attempt", "[compose][retry_delay]") {
    CHECK(pgq::detail::retry_delay<by_minutes>({.attempt = 1}) == 1min);
    CHECK(pgq::detail::retry_delay<by_minutes>({.attempt = 3}) == 3min);
}

TEST_CASE("a back-off that is stored with the job overrides the policy", "[compose][retry_delay]") {
    CHECK(delay_with(std::array{pgq::header{"color", "blue"}, pgq::header{"pgq-backoff", "linear 1s 5s 5min"}}) == 6s);
    CHECK(delay_with(std::array{pgq::header{"pgq-backoff", "none"}}) == 0s);
}

TEST_CASE("a stored back-off that cannot be read is ignored", "[compose][retry_delay]") {
    CHECK(delay_with(std::array{pgq::header{"pgq-backoff", "fibonacci 1h"}}) == 2min);
    CHECK(delay_with(std::array{pgq::header{"pgq-backoff", ""}}) == 2min);
}

}  // namespace unit_compose_retry_delay
