#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/client/stored_options.hpp>
#include <pgq/compose/checked.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/protocol/own_settings.hpp>
#include <pgq/unique_by.hpp>

#include <compile_fail/fakes.hpp>
#include <support/catch.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>

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

using namespace std::chrono_literals;

template <class... OfMail>
using with_settings = stored_options<fixed, void,
                                     pgq::detail::enqueue_settings<pgq::detail::settings_for<
                                         typename pgq::checked<pgq::job<fakes::mail, OfMail...>, pgq::priority<3>,
                                                               fakes::driver, fakes::serializer>::composition_type,
                                         fakes::mail>>>;

std::string value_of(const enqueue_options& o, std::string_view name) {
    for (const header& h : o.headers)
        if (h.name == name) return std::string{h.value};
    return "none";
}

}  // namespace

TEST_CASE("without such policies the options are those of the caller", "[client][stored_options]") {
    stored_options<fixed, void> stored;
    const auto o = stored.of({.priority = 7, .unique_key = "mine"}, some);
    CHECK(o.priority == 7);
    CHECK(o.unique_key.key() == "mine");
    CHECK(o.headers.empty());
    CHECK_FALSE(stored_options<fixed, void>::per_job);
    const std::array mine{header{"a", "1"}};
    CHECK(stored.of({.headers = mine}, some).headers.data() == mine.data());
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

TEST_CASE("the attempts and the timeout of one job become headers", "[client][stored_options]") {
    stored_options<stored_fixed, void> stored;
    const std::array mine{header{"a", "1"}};
    const auto o = stored.of({.headers = mine, .max_attempts = 7, .timeout = 90s}, some);
    CHECK(value_of(o, "a") == "1");
    CHECK(value_of(o, pgq::max_attempts_header) == "7");
    CHECK(value_of(o, pgq::timeout_header) == "90s");
    CHECK(value_of(o, pgq::backoff::spec::header_name) == "fixed 10s");
    CHECK(o.headers.size() == 4);
    CHECK(o.max_attempts == 0);
    CHECK(o.timeout == 0s);
}

TEST_CASE("an option goes before a header of its name in the same call", "[client][stored_options]") {
    stored_options<fixed, void> stored;
    const std::array of_another_job{header{pgq::max_attempts_header, "3"}, header{pgq::timeout_header, "1h"}};
    const auto o = stored.of({.headers = of_another_job, .max_attempts = 7}, some);
    CHECK(value_of(o, pgq::max_attempts_header) == "7");
    CHECK(value_of(o, pgq::timeout_header) == "1h");
    CHECK(o.headers.size() == 2);
}

TEST_CASE("a number of attempts or a timeout out of range is refused", "[client][stored_options]") {
    stored_options<fixed, void> stored;
    const auto wrong = GENERATE(enqueue_options{.max_attempts = -1}, enqueue_options{.max_attempts = 32768},
                                enqueue_options{.timeout = -1s});
    const auto checked = pgq::detail::check_values(stored.of(wrong, some));
    REQUIRE_FALSE(checked);
    CHECK(checked.error() == pgq::errc::invalid_option);
    CHECK(pgq::detail::check_values(stored.of({.max_attempts = 32767, .timeout = 1ns}, some)));
}

TEST_CASE("settings fill in what the caller left open", "[client][stored_options]") {
    with_settings<pgq::delay<1min>, pgq::expires_in<1h>, pgq::keep_outcome<2h>> stored;
    const fakes::mail mail{};
    const auto o = stored.of({}, mail);
    CHECK(o.priority == 3);
    CHECK(o.run_at == pgq::in(1min));
    CHECK(o.expires_at == pgq::in(1h));
    CHECK(o.keep_outcome == 2h);
    const auto given =
        stored.of({.priority = 0, .run_at = pgq::in(0s), .expires_at = pgq::in(9h), .keep_outcome = 1s}, mail);
    CHECK(given.priority == 0);
    CHECK(given.run_at == pgq::in(0s));
    CHECK(given.expires_at == pgq::in(9h));
    CHECK(given.keep_outcome == 1s);
}

TEST_CASE("the priority of an entrypoint goes before that of the queue", "[client][stored_options]") {
    CHECK(with_settings<pgq::priority<-2>>{}.of({}, fakes::mail{}).priority == -2);
    CHECK(with_settings<>{}.of({}, fakes::mail{}).priority == 3);
    CHECK(with_settings<>{}.of({}, fakes::mail{}).is_plain());
}

}  // namespace unit_client_stored_options
