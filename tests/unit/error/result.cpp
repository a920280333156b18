#include <pgq/error/result.hpp>

#include "support/catch.hpp"

#include <array>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

namespace unit_error_result {

using namespace pgq;

namespace {

result<int> half(int n) {
    if (n % 2 != 0) return error_info{errc::invalid_option, "odd", "give an even number"};
    return n / 2;
}

result<void> only_even(int n) {
    if (n % 2 != 0) return errc::invalid_option;
    return {};
}

// The tests below loop over all enumerators by number. The numbers are stable.
constexpr int last_errc = 27;

}  // namespace

TEST_CASE("a result holds either a value or an error", "[error][result]") {
    const auto good = half(4);
    REQUIRE(good.has_value());
    CHECK(static_cast<bool>(good));
    CHECK(*good == 2);
    CHECK(good.value() == 2);

    const auto bad = half(3);
    CHECK_FALSE(bad.has_value());
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.error() == errc::invalid_option);
    CHECK(bad.error().message == "odd");
    CHECK(bad.error().hint == "give an even number");
}

TEST_CASE("a range-based for may loop over the value of a temporary result", "[error][result]") {
    const auto make = [] { return result<std::vector<std::string>>{{std::string(100, 'a'), std::string(100, 'b')}}; };
    STATIC_REQUIRE(std::is_same_v<decltype(make().value()), std::vector<std::string>>);
    std::string all;
    for (const auto& text : make().value()) all += text;
    CHECK(all == std::string(100, 'a') + std::string(100, 'b'));
    std::string again;
    for (const auto& text : *make()) again += text;
    CHECK(again == all);
}

TEST_CASE("value() of an error throws a failure with the code and all texts", "[error][result]") {
    try {
        (void)half(3).value();
        FAIL("nothing was thrown");
    } catch (const failure& e) {
        CHECK(e.code() == errc::invalid_option);
        CHECK(e.info().message == "odd");
        CHECK(std::string{e.what()}.find("odd; give an even number") != std::string::npos);
    }
    // Code that does not know pgq can catch std::system_error.
    CHECK_THROWS_AS(half(3).value(), std::system_error);
}

TEST_CASE("a result<void> is a success unless it is made from an error", "[error][result]") {
    CHECK(only_even(2).has_value());
    CHECK_NOTHROW(only_even(2).value());
    CHECK_FALSE(only_even(3));
    CHECK(only_even(3).error() == errc::invalid_option);
    CHECK_THROWS_AS(only_even(3).value(), failure);
}

TEST_CASE("a move-only value can be moved out of a result", "[error][result]") {
    result<std::unique_ptr<int>> r{std::make_unique<int>(7)};
    CHECK(**r == 7);
    CHECK(*r->get() == 7);
    std::unique_ptr<int> taken = std::move(r).value();
    CHECK(*taken == 7);

    result<std::unique_ptr<int>> other{std::make_unique<int>(8)};
    taken = *std::move(other);
    CHECK(*taken == 8);
    STATIC_REQUIRE_FALSE(std::is_copy_constructible_v<result<std::unique_ptr<int>>>);
}

TEST_CASE("the value of a result can be changed in place", "[error][result]") {
    result<std::string> r{std::string{"a"}};
    r->append("b");
    *r += "c";
    r.value() += "d";
    CHECK(r.value() == "abcd");
}

TEST_CASE("the text of an error_info is one line: the statement, the message, the detail and the hint",
          "[error][error_info]") {
    error_info e{errc::schema_missing};
    CHECK(e.text() == make_error_code(errc::schema_missing).message());
    e.message = "no table";
    CHECK(e.text() == "no table");
    e.statement = "claim";
    CHECK(e.text() == "claim: no table");
    e.detail = "pgq.ready";
    CHECK(e.text() == "claim: no table (pgq.ready)");
    e.hint = "install it";
    CHECK(e.text() == "claim: no table (pgq.ready); install it");
}

TEST_CASE("an error_info without a text has the message of its code", "[error][error_info]") {
    CHECK(error_info{errc::timeout}.message == "the deadline passed before the operation completed");
    CHECK(error_info{errc::timeout, "too slow"}.message == "too slow");
    CHECK_FALSE(error_info{}.code);
}

TEST_CASE("each errc has its own message, in lower case and without a full stop", "[error][errc]") {
    const std::string unknown = category().message(last_errc + 1);
    std::set<std::string> seen;
    for (int i = 1; i <= last_errc; ++i) {
        const std::string text = category().message(i);
        INFO(i << ": " << text);
        CHECK(text != unknown);
        CHECK(seen.insert(text).second);
        CHECK_FALSE(text.empty());
        CHECK((text.front() >= 'a' && text.front() <= 'z'));
        CHECK(text.back() != '.');
    }
    CHECK(static_cast<int>(errc::draining) == last_errc);
    CHECK(category().message(0) == unknown);
}

TEST_CASE("the errc values start at 1, so none of them is a success", "[error][errc]") {
    CHECK(static_cast<int>(errc::connection_lost) == 1);
    const std::error_code code = errc::connection_lost;
    CHECK(code);
    CHECK(code.category() == category());
    CHECK(std::string{category().name()} == "pgq");
}

TEST_CASE("each errc has exactly one condition", "[error][condition]") {
    const std::array all{condition::transient, condition::contention, condition::permanent, condition::configuration};
    for (int i = 1; i <= last_errc; ++i) {
        int met = 0;
        for (condition c : all) met += make_error_code(static_cast<errc>(i)) == c ? 1 : 0;
        INFO(category().message(i));
        CHECK(met == 1);
    }
    CHECK(error_info{errc::connection_lost} == condition::transient);
    CHECK(error_info{errc::schema_older} == condition::configuration);
    CHECK(error_info{errc::lease_lost} == condition::permanent);
}

TEST_CASE("the SQLSTATE of a server error decides its condition", "[error][condition]") {
    const auto is = [](const char* state, condition c) { return make_sqlstate(state) == c; };

    CHECK(is("40001", condition::contention));  // serialization failure
    CHECK(is("40P01", condition::contention));  // deadlock
    CHECK(is("55P03", condition::contention));  // lock timeout

    CHECK(is("08006", condition::transient));  // connection failure
    CHECK(is("53100", condition::transient));  // disk full
    CHECK(is("57P01", condition::transient));  // shut down by the administrator
    CHECK(is("57014", condition::transient));  // statement timeout
    CHECK(is("25006", condition::transient));  // read only after a failover

    CHECK(is("28P01", condition::configuration));  // wrong password
    CHECK(is("3D000", condition::configuration));  // no such database
    CHECK(is("42P01", condition::configuration));  // no such table
    CHECK(is("42501", condition::configuration));  // no privilege

    CHECK(is("22001", condition::permanent));  // value too long
    CHECK(is("23505", condition::permanent));  // unique violation
    CHECK_FALSE(is("40001", condition::permanent));
    CHECK_FALSE(is("22001", condition::transient));
}

TEST_CASE("an error code of another library has no condition", "[error][condition]") {
    const auto foreign = std::make_error_code(std::errc::timed_out);
    for (condition c : {condition::transient, condition::contention, condition::permanent, condition::configuration}) {
        CHECK_FALSE(foreign == c);
        CHECK(make_error_condition(c).message() != "unknown condition");
    }
    CHECK(condition_category().message(0) == "unknown condition");
    CHECK(std::string{condition_category().name()} == "pgq.condition");
}

TEST_CASE("a SQLSTATE can be converted to a number and back", "[error][sqlstate]") {
    for (const char* state : {"00000", "00001", "08006", "40P01", "57P01", "XX000", "ZZZZZ"}) {
        CHECK(sqlstate_text(sqlstate(state)) == state);
    }
    STATIC_REQUIRE(sqlstate("40001") != sqlstate("40P01"));
    STATIC_REQUIRE(sqlstate("00000") == 0);
}

TEST_CASE("a text that is not a SQLSTATE becomes zero", "[error][sqlstate]") {
    for (const char* text : {"", "4000", "400011", "40p01", "40 01", "4000\xc3"}) CHECK(sqlstate(text) == 0);
}

TEST_CASE("the class of a SQLSTATE is its first two characters", "[error][sqlstate]") {
    STATIC_REQUIRE(sqlstate_class(sqlstate("40P01")) == sqlstate_class("40"));
    STATIC_REQUIRE(sqlstate_class(sqlstate("53100")) == sqlstate_class("53"));
    STATIC_REQUIRE(sqlstate_class(sqlstate("53ZZZ")) == sqlstate_class("53"));
    STATIC_REQUIRE(sqlstate_class(sqlstate("54000")) != sqlstate_class("53"));
}

TEST_CASE("the message of a server error names its SQLSTATE", "[error][sqlstate]") {
    CHECK(make_sqlstate("40P01").message().find("40P01") != std::string::npos);
    CHECK(make_sqlstate("40P01") != make_sqlstate("40001"));
    CHECK(std::string{sqlstate_category().name()} == "sqlstate");
}

}  // namespace unit_error_result
