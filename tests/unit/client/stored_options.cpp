#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/client/stored_options.hpp>
#include <pgq/unique_by.hpp>

#include <support/catch.hpp>

#include <array>
#include <string>
#include <type_traits>

namespace unit_client_stored_options {

namespace {

using pgq::enqueue_options;
using pgq::header;
using fixed = pgq::backoff::fixed;
using stored_fixed = pgq::backoff::stored<fixed>;
using pgq::detail::stored_options;

struct digest {
    std::string user{};
    int day = 0;
};
const digest some{.user = "ada", .day = 17};
using by_user = pgq::unique_by<&digest::user>;

}  // namespace

TEST_CASE("without such policies the options are those of the caller", "[client][stored_options]") {
    stored_options<fixed, void> stored;
    const auto o = stored.of({.priority = 7, .unique_key = "mine"}, some);
    CHECK(o.priority == 7);
    CHECK(o.unique_key.key() == "mine");
    CHECK(o.headers.empty());
    CHECK_FALSE(stored_options<fixed, void>::per_job);
    CHECK(std::is_empty_v<stored_options<fixed, void>>);
}

TEST_CASE("a stored back-off adds its header behind those of the caller", "[client][stored_options]") {
    stored_options<stored_fixed, void> stored;
    const auto alone = stored.of({}, some);
    REQUIRE(alone.headers.size() == 1);
    CHECK(alone.headers[0].name == pgq::backoff::spec::header_name);
    const std::array mine{header{"a", "1"}};
    const auto both = stored.of({.headers = mine}, some);
    REQUIRE(both.headers.size() == 2);
    CHECK(both.headers[0].name == "a");
    CHECK(both.headers[1].value == alone.headers[0].value);
}

TEST_CASE("a back-off that the caller has given as a header stays", "[client][stored_options]") {
    stored_options<stored_fixed, void> stored;
    const std::array mine{header{pgq::backoff::spec::header_name, "linear 1h 1h 24h"}};
    const auto o = stored.of({.headers = mine}, some);
    REQUIRE(o.headers.size() == 1);
    CHECK(o.headers[0].value == "linear 1h 1h 24h");
}

TEST_CASE("a uniqueness policy makes the key of each job, unless the caller has given one",
          "[client][stored_options]") {
    stored_options<fixed, by_user> stored;
    const auto first = stored.of({}, some);
    const auto second = stored.of({}, digest{.user = "bob"});
    const auto given = stored.of({.unique_key = "mine"}, some);
    CHECK(first.unique_key.key() == "(3:ada)");
    CHECK(second.unique_key.key() == "(3:bob)");
    CHECK(given.unique_key.key() == "mine");
    CHECK(stored_options<fixed, by_user>::per_job);
}

}  // namespace unit_client_stored_options
