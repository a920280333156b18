#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/priority.hpp>

#include <support/catch.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace unit_job_options {

using namespace pgq;
using namespace std::chrono_literals;

namespace {

enum level : std::uint8_t { low, high = 200 };

std::string names_of(const enqueue_options& o) {
    std::string all;
    for (const header& h : o.headers) all.append(h.name).append("=").append(h.value).append(" ");
    return all;
}
std::vector<std::int64_t> parents_of(const enqueue_options& o) {
    std::vector<std::int64_t> all;
    for (const job_id id : o.after) all.push_back(id.value);
    return all;
}

}  // namespace

TEST_CASE("a priority is made of any integer, and knows whether it fits", "[job][options]") {
    STATIC_REQUIRE(std::int16_t{job_priority{}} == 0);
    STATIC_REQUIRE(std::int16_t{job_priority{INT16_MAX}} == INT16_MAX);
    STATIC_REQUIRE(std::int16_t{job_priority{INT16_MIN}} == INT16_MIN);
    STATIC_REQUIRE(std::int16_t{job_priority{std::size_t{7}}} == 7);
    STATIC_REQUIRE(std::int16_t{job_priority{high}} == 200);
    STATIC_REQUIRE(job_priority{INT16_MIN}.is_in_range());
    STATIC_REQUIRE_FALSE(job_priority{INT16_MAX + 1}.is_in_range());
    STATIC_REQUIRE_FALSE(job_priority{INT16_MIN - 1}.is_in_range());
    STATIC_REQUIRE_FALSE(job_priority{65536}.is_in_range());
    STATIC_REQUIRE_FALSE(job_priority{SIZE_MAX}.is_in_range());
    const int unknown_to_the_compiler = 70000;
    CHECK(enqueue_options{.priority = 12}.priority == 12);
    CHECK_FALSE(enqueue_options{.priority = unknown_to_the_compiler}.priority.is_in_range());
}

TEST_CASE("headers are a list in braces, or any contiguous range", "[job][options]") {
    const std::string tenant = "acme";
    CHECK(names_of({.headers = {{"tenant", tenant}, {"trace", "7"}}}) == "tenant=acme trace=7 ");
    CHECK(names_of({.headers = {{"tenant", tenant}}}) == "tenant=acme ");
    CHECK(names_of({.headers = {}}) == "");
    const header one{"a", "1"};
    CHECK(names_of({.headers = {one, one}}) == "a=1 a=1 ");
    CHECK(names_of({.headers = std::array{one}}) == "a=1 ");
    CHECK(names_of({.headers = std::vector{one, one}}) == "a=1 a=1 ");
    CHECK(names_of({.headers = std::span{&one, 1}}) == "a=1 ");
    CHECK(names_of({.headers = {&one, 1}}) == "a=1 ");
}

TEST_CASE("parents are an id, a list in braces, or any contiguous range", "[job][options]") {
    const job_id a{1}, b{2};
    const std::vector both{a, b};
    CHECK(parents_of({.after = a}) == std::vector<std::int64_t>{1});
    CHECK(parents_of({.after = {a}}) == std::vector<std::int64_t>{1});
    CHECK(parents_of({.after = {a, b}}) == std::vector<std::int64_t>{1, 2});
    CHECK(parents_of({.after = both}) == std::vector<std::int64_t>{1, 2});
    CHECK(parents_of({.after = std::span{&a, 1}}) == std::vector<std::int64_t>{1});
    CHECK(parents_of({.after = {}}).empty());
}

TEST_CASE("a priority or a time out of range is an invalid option", "[job][options]") {
    using detail::check_values;
    CHECK(check_values({.priority = -7, .run_at = in(1h), .expires_at = at(time_point::min())}));
    CHECK(check_values({.priority = 40000}).error() == errc::invalid_option);
    CHECK(check_values({.run_at = at(time_point::max())}).error() == errc::invalid_option);
    CHECK(check_values({.expected_at = at(time_point::max())}).error() == errc::invalid_option);
    CHECK(check_values({.expires_at = in(std::chrono::hours::max())}).error() == errc::invalid_option);
}

}  // namespace unit_job_options
