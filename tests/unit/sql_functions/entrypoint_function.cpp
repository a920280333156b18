#include <pgq/compose/checked.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/sql_functions/compound_parameter.hpp>
#include <pgq/sql_functions/entrypoint_function.hpp>
#include <pgq/sql_functions/json_shape.hpp>
#include <pgq/sql_functions/limit_key.hpp>

#include "support/catch.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace unit_sql_functions_entrypoint_function {

namespace jobs {

enum class color : std::int16_t { red = 3 };

struct tree {
    static constexpr std::string_view entrypoint = "tree";
    int height = 1;
    std::vector<tree> branches{};
};

struct order {
    static constexpr std::string_view entrypoint = "or\"der'";
    std::string customer{"o'hara"};
    bool urgent = false;
    int priority = 3;
    int twice() const { return 2 * priority; }
};

}  // namespace jobs

}  // namespace unit_sql_functions_entrypoint_function

BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_entrypoint_function::jobs::tree, height, branches);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_entrypoint_function::jobs::order, customer, urgent, priority);

namespace unit_sql_functions_entrypoint_function {

namespace {

namespace sql = pgq::detail::sql;
using namespace std::chrono_literals;
using jobs::order;

template <class T>
std::string default_of(const T& value) {
    return sql::parameter<T>::literal(value).value_or("none");
}
template <class T>
std::string shape_of(bool required = false) {
    sql::json_shapes shapes{required};
    return shapes.template of<T>();
}

template <class... Policies>
using composed =
    typename pgq::checked<pgq::job<order, Policies...>, pgq::driver::memory, pgq::serializer::json>::composition_type;
template <class... Policies>
auto function_of(std::string_view queue = "default") {
    return sql::entrypoint_function<composed<Policies...>, order>{
        {.schemas = {"jobs", "api"}, .queue = queue, .prefix = "enqueue_", .max_payload = 1000}}
        .text();
}
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a member has the SQL type that holds its values", "[sql_functions][parameter]") {
    CHECK(sql::parameter<bool>::type == "boolean");
    CHECK(sql::parameter<std::int16_t>::type == "integer");
    CHECK(sql::parameter<std::uint32_t>::type == "bigint");
    CHECK(sql::parameter<std::uint64_t>::type == "numeric");
    CHECK(sql::parameter<double>::type == "double precision");
    CHECK(sql::parameter<std::string>::type == "text");
    CHECK(sql::parameter<std::vector<std::byte>>::type == "bytea");
    CHECK(sql::parameter<jobs::color>::type == "integer");
    CHECK(sql::parameter<std::chrono::milliseconds>::type == "interval");
    CHECK(sql::parameter<std::chrono::sys_seconds>::type == "timestamptz");
    CHECK(sql::parameter<std::optional<bool>>::type == "boolean");
    CHECK(sql::parameter<std::vector<std::string>>::type == "text[]");
    CHECK(sql::parameter<std::map<std::string, int>>::type == "jsonb");
}

TEST_CASE("a default is an SQL expression, or none if SQL has no such value", "[sql_functions][parameter]") {
    CHECK(default_of(std::string{"it's"}) == "'it''s'");
    CHECK(default_of(std::string("a\0b", 3)) == "none");
    CHECK(default_of(std::numeric_limits<double>::quiet_NaN()) == "'NaN'::double precision");
    CHECK(default_of(-std::numeric_limits<double>::infinity()) == "'-Infinity'::double precision");
    CHECK(default_of(std::vector{std::byte{0xab}}) == "decode('ab', 'hex')");
    CHECK(default_of(jobs::color::red) == "3");
    CHECK(default_of(1500ms) == "'1500000 microseconds'::interval");
    CHECK(default_of(2h) == "'7200 seconds'::interval");
    CHECK(default_of(1500ns) == "none");
    CHECK(default_of(std::chrono::sys_seconds{60s}) == "'epoch'::timestamptz + '60 seconds'::interval");
    // PostgreSQL 14 knows no number above 2^31 in an interval.
    CHECK(default_of(std::chrono::sys_time<std::chrono::milliseconds>{1'700'000'000'123ms}) ==
          "'epoch'::timestamptz + '472222 hours 800 seconds 123000 microseconds'::interval");
    CHECK(default_of(-3'000'000'001s) == "'-833333 hours -1201 seconds 0 microseconds'::interval");
    CHECK(default_of(std::chrono::sys_seconds{std::chrono::seconds::max()}) == "none");
    CHECK(default_of(std::optional<int>{}) == "NULL");
    CHECK(default_of(std::vector<std::string>{"a'", "b"}) == "ARRAY['a''', 'b']::text[]");
    CHECK(default_of(std::map<std::string, int>{{"'", 1}}) == "'{\"''\":1}'::jsonb");
}

TEST_CASE("a shape says what JSON a type is written as", "[sql_functions][json_shape]") {
    CHECK(shape_of<bool>() == "\"bool\"");
    CHECK(shape_of<std::int16_t>() == "[\"int\",-32768,32767]");
    CHECK(shape_of<jobs::color>() == "[\"int\",-32768,32767]");
    CHECK(shape_of<float>() == "\"float4\"");
    CHECK(shape_of<std::vector<std::byte>>() == "\"bytes\"");
    CHECK(shape_of<std::optional<std::string>>() == "[\"optional\",\"string\"]");
    CHECK(shape_of<std::array<bool, 2>>() == "[\"list\",\"bool\",2]");
    CHECK(shape_of<std::variant<std::monostate, bool>>() == "[\"variant\",\"null\",\"bool\"]");
    CHECK(shape_of<std::map<std::string, double>>() == "[\"map\",\"float8\"]");
}

TEST_CASE("a struct that contains itself has one shape", "[sql_functions][json_shape]") {
    sql::json_shapes shapes{true};
    CHECK(shapes.of<jobs::tree>() == "0");
    CHECK(shapes.text() ==
          "[[\"struct\",[\"height\",[\"int\",-2147483648,2147483647],true],[\"branches\",[\"list\",0],true]]]");
}

TEST_CASE("the function of an entrypoint quotes every name and default in it", "[sql_functions][entrypoint_function]") {
    const auto f = function_of<>("it's mine").value();
    CHECK(f.name == "enqueue_or\"der'");
    CHECK(has(f.create, "CREATE OR REPLACE FUNCTION \"api\".\"enqueue_or\"\"der'\"(\n    \"payload\" jsonb"));
    CHECK(has(f.create, "\"customer\" text DEFAULT 'o''hara'"));
    CHECK(has(f.create, "\"api\".enqueue('it''s mine', 'or\"der''', '', body,"));
    CHECK(has(f.create, "octet_length(body) > 1000"));
}

TEST_CASE("an option whose name a member has gets another name", "[sql_functions][entrypoint_function]") {
    const auto f = function_of<>().value();
    CHECK(has(f.create, "\"priority\" integer DEFAULT 3"));
    CHECK(has(f.create, "\"job_priority\" integer DEFAULT 0"));
}

TEST_CASE("functions of two queues or entrypoints have two owners, and a changed argument another signature",
          "[sql_functions][entrypoint_function]") {
    CHECK(function_of<>().value().owner == function_of<>().value().owner);
    CHECK(function_of<>().value().owner != function_of<>("other").value().owner);
    CHECK(function_of<>().value().signature == function_of<>("other").value().signature);
}

TEST_CASE("the key of a limit comes from the payload, and without the member from the default",
          "[sql_functions][limit_key]") {
    using by_customer = pgq::limiter::serialized_by<&order::customer>;
    CHECK(sql::limit_key<by_customer>::expression<order>() == "coalesce(given ->> 'customer', 'o''hara')");
    using by_urgency = pgq::limiter::serialized_by<&order::urgent>;
    CHECK(sql::limit_key<by_urgency>::expression<order>() == "coalesce((given ->> 'urgent')::bool::int::text, '0')");
    CHECK(sql::limit_key<pgq::limiter::none>::expression<order>() == "NULL");
}

TEST_CASE("an entrypoint whose limit key only the program can compute has no function",
          "[sql_functions][limit_key][entrypoint_function]") {
    using computed = pgq::limiter::serialized_by<&order::twice>;
    CHECK(sql::limit_key<computed>::expression<order>().empty());
    CHECK_FALSE(function_of<computed>());
    CHECK(function_of<pgq::limiter::serialized_by<&order::customer>>());
}

}  // namespace unit_sql_functions_entrypoint_function
