#include "search.hpp"

#include <pgq/protocol/tracked.hpp>

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

using namespace pgq;
using namespace std::chrono_literals;

namespace {

constexpr time_point now{std::chrono::hours{1000}};

job_selection found(const std::string& text) { return web::parse_search(text, now).value(); }

}  // namespace

TEST_CASE("qualifiers choose, other words are text of reasons", "[web][search]") {
    const auto s = found("queue:mail  state:held,ready header:tenant=a=b timed out entrypoint:\"send it\" error: 7");
    CHECK(s.queue == "mail");
    CHECK(s.entrypoint == "send it");
    CHECK(s.states == (job_state::held | job_state::ready));
    CHECK(s.headers == std::vector<owned_header>{{"tenant", "a=b"}});
    CHECK(s.reason == "timed out error: 7");
    CHECK(found("").states == any_state);
    CHECK(found("").reason.empty());
}

TEST_CASE("a number alone is an id", "[web][search]") {
    CHECK(found("42").after == job_id{41});
    CHECK(found("42").last == job_id{42});
    CHECK(found("id:0").after == before_all_jobs);
    CHECK(found("\"42\"").reason == "42");
    CHECK(found("error 42").reason == "error 42");
}

TEST_CASE("quotes keep blanks, qualifiers and quotes", "[web][search]") {
    CHECK(found("\"state:held  x\"").reason == "state:held  x");
    CHECK(found("\"say \\\"no\\\" \\\\ now\"").reason == "say \"no\" \\ now");
    CHECK(found("\"not closed").reason == "not closed");
}

TEST_CASE("ages are relative to now", "[web][search]") {
    const auto s = found("newer:2h older:30min");
    CHECK(s.enqueued_since == now - 2h);
    CHECK(s.enqueued_before == now - 30min);
}

TEST_CASE("a wrong value is an error with its remedy", "[web][search]") {
    for (const char* wrong : {"state:", "state:lost", "state:held,", "state:held,,ready", "header:x", "header:=x",
                              "id:x", "id:-1", "id:99999999999999999999", "newer:x", "older:5"}) {
        INFO(wrong);
        const auto s = web::parse_search(wrong, now);
        const bool trailing = std::string{wrong} == "state:held,";
        CHECK(s.has_value() == trailing);
        if (!s) CHECK_FALSE(s.error().hint.empty());
    }
}
