#include "numbers.hpp"

#include <boost/json/serialize.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

using namespace pgq;
using namespace std::chrono_literals;

TEST_CASE("large ids are texts in JSON", "[web][json]") {
    CHECK(boost::json::serialize(web::id(std::numeric_limits<std::int64_t>::max())) == "\"9223372036854775807\"");
}

TEST_CASE("a payload is shown as what it is, up to a bound", "[web][json]") {
    const auto kind = [](std::string_view body) { return web::payload(body, {}).at("kind").as_string(); };
    CHECK(kind(R"({"id":9007199254740993})") == "json");
    CHECK(kind("7") == "json");
    CHECK(kind("not json") == "hex");
    CHECK(kind("") == "hex");
    CHECK(kind(std::string_view{"\x01\x04key1", 6}) == "hex");
    CHECK(kind("\x01\x04key1" + std::string(80, 'x')) == "encrypted");
    CHECK(web::payload("\x01\x04key1" + std::string(80, 'x'), {}).at("text").as_string().empty());
    const auto large = web::payload("[\"" + std::string(100'000, 'x') + "\"]", {});
    CHECK(large.at("kind").as_string() == "text");
    CHECK(large.at("cut").as_bool());
    CHECK(large.at("text").as_string().size() <= 70'000);
    CHECK(web::payload(std::string(100'000, '\x7f'), {}).at("text").as_string().size() == 8192);
    CHECK(web::payload("\xff", std::string{"{}"}).at("text").as_string() == "{}");  // what the program decoded
    std::string deep(5000, '[');
    CHECK(kind(deep + std::string(5000, ']')) == "hex");
}

TEST_CASE("text of others is always UTF-8", "[web][json]") {
    CHECK(web::text("a\xff").subview() == "a\xEF\xBF\xBD");
    CHECK(web::text("<b>\"").subview() == "<b>\"");
}

TEST_CASE("a series has a place for each step, also where nothing happened", "[web][numbers]") {
    const time_point now{std::chrono::hours{500'000} + 30s};
    lane_statistics part;
    part.at = time_point{std::chrono::hours{500'000} - 10min};
    part.done = 120, part.enqueued = 60, part.held = 6;
    lane_statistics old = part;
    old.at -= 2h;
    const auto s = web::series({part, part, old}, web::window_of("1h"), now);
    CHECK(s.at("at").as_array().size() == 60);
    CHECK(s.at("complete").as_bool());
    double done = 0, failed = 0;
    for (const auto& v : s.at("out").as_array()) done += v.as_double();
    for (const auto& v : s.at("failed").as_array()) failed += v.as_double();
    CHECK(done == Approx(4.0));
    CHECK(failed == Approx(0.2));
    const auto week = web::series({}, web::window_of("7d"), now);
    CHECK(week.at("at").as_array().size() == 96);
    CHECK_FALSE(week.at("complete").as_bool());
}

TEST_CASE("the busiest entrypoints come first", "[web][numbers]") {
    std::vector<entrypoint_overview> all(3);
    all[0].entrypoint = "idle";
    all[1].entrypoint = "waits", all[1].counts.ready = {500, false};
    all[2].entrypoint = "fails", all[2].counts.held = {1, false};
    const auto some = web::busiest(all, 2);
    REQUIRE(some.size() == 2);
    CHECK(some[0].at("entrypoint").as_string() == "fails");
    CHECK(some[1].at("entrypoint").as_string() == "waits");
    CHECK(web::totals(all).at("ready").at("n").as_int64() == 500);
}
