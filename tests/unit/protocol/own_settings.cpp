#include <pgq/protocol/own_settings.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace unit_protocol_own_settings {

namespace {

using namespace std::chrono_literals;
using pgq::header;

std::int16_t attempts(std::string_view text, std::int16_t otherwise = 20) {
    const std::array all{header{"color", "7"}, header{pgq::max_attempts_header, text}};
    return pgq::max_attempts_of(std::span<const header>{all}, otherwise);
}
std::optional<pgq::duration> limit(std::string_view text) {
    const std::array all{header{"color", "7s"}, header{pgq::timeout_header, text}};
    return pgq::own_timeout_of(std::span<const header>{all});
}

}  // namespace

TEST_CASE("the attempts of a job are those of its header", "[protocol][own_settings]") {
    CHECK(attempts("1") == 1);
    CHECK(attempts("32767") == 32767);
    CHECK(attempts("99999") == 32767);
    CHECK(pgq::max_attempts_of(std::span<const header>{}, 20) == 20);
}

TEST_CASE("a header that is no number of attempts counts as none", "[protocol][own_settings]") {
    const auto* text = GENERATE("", "0", "05", "-1", "+3", " 3", "3 ", "3.0", "3x", "many", "100000");
    CAPTURE(text);
    CHECK(attempts(text) == 20);
}

TEST_CASE("a rescue reads the job's own attempts, unless the lease says that it never holds a job",
          "[protocol][own_settings]") {
    const std::array own{header{pgq::max_attempts_header, "2"}};
    CHECK(pgq::rescued_attempts_of(std::span<const header>{own}, 5) == 2);
    CHECK(pgq::rescued_attempts_of(std::span<const header>{own}, pgq::unlimited_attempts) == pgq::unlimited_attempts);
    CHECK(pgq::rescued_attempts_of(std::span<const header>{}, 5) == 5);
    CHECK(pgq::leased_attempts(INT16_MAX) < pgq::unlimited_attempts);
    CHECK(pgq::leased_attempts(20) == 20);
}

TEST_CASE("the timeout of a job is that of its header", "[protocol][own_settings]") {
    CHECK(limit("30s") == 30s);
    CHECK(limit("1500ms") == 1500ms);
    CHECK(limit("2h") == 2h);
    CHECK_FALSE(pgq::own_timeout_of(std::span<const header>{}));
}

TEST_CASE("a header that is no time above zero counts as none", "[protocol][own_settings]") {
    const auto* text = GENERATE("", "0s", "-1s", "30", "s", "30 s", "1.5s", "30sec", "9999999999h");
    CAPTURE(text);
    CHECK_FALSE(limit(text));
}

}  // namespace unit_protocol_own_settings
