#include <pgq/serializer/json.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace unit_serializer_json {

namespace json_jobs {

template <class T>
struct one {
    BOOST_HANA_DEFINE_STRUCT(one, (T, x));
};

struct place {
    std::string street{};
    int number = 7;
    friend bool operator==(const place&, const place&) = default;
};
struct mail {
    std::vector<place> to{};
    place from{.street = "home", .number = 1};
    std::string subject = "none";
    std::optional<int> tries{};
};
struct tree {
    int value = 0;
    std::vector<tree> children{};
};

enum class level : std::uint8_t { low, high };
enum class flag : bool { off, on };
enum class wide : std::uint64_t { most = std::numeric_limits<std::uint64_t>::max() };
enum class letter : char { a = 'a' };
enum loose { first, second };
enum class color : int { red, green };  // has a codec below that writes names

struct no_codec {};
struct holds_no_codec {
    no_codec x{};
};
struct deep_no_codec {
    std::map<std::string, std::vector<std::optional<holds_no_codec>>> x{};
};
struct tree_of_pointers {
    std::vector<tree_of_pointers> children{};
    int* p = nullptr;
};
struct fixed_member {
    const int x = 1;
};
struct not_default {
    explicit not_default(int n) : x{n} {}
    int x;
};
struct throws {};
struct calls_back {
    std::string text{};
};
struct silent {};

}  // namespace json_jobs

}  // namespace unit_serializer_json

BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::place, street, number);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::mail, to, from, subject, tries);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::tree, value, children);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::holds_no_codec, x);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::deep_no_codec, x);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::tree_of_pointers, children, p);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::fixed_member, x);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_json::json_jobs::not_default, x);

template <>
struct pgq::codec<unit_serializer_json::json_jobs::color> {
    static void write(unit_serializer_json::json_jobs::color c, pgq::serializer::json_writer& out) {
        out.string(c == unit_serializer_json::json_jobs::color::red ? "red" : "green");
    }
    static bool read(pgq::serializer::json_value in, unit_serializer_json::json_jobs::color& c) {
        if (!in.is_string()) return in.expected("a string");
        c = in.text() == "red" ? unit_serializer_json::json_jobs::color::red
                               : unit_serializer_json::json_jobs::color::green;
        return c == unit_serializer_json::json_jobs::color::red || in.text() == "green" ||
               in.fail("expected red or green");
    }
};
template <>
struct pgq::codec<unit_serializer_json::json_jobs::throws> {
    static void write(unit_serializer_json::json_jobs::throws, pgq::serializer::json_writer&) {
        throw std::runtime_error{"secret"};
    }
    static bool read(pgq::serializer::json_value, unit_serializer_json::json_jobs::throws&) {
        throw std::runtime_error{"secret"};
    }
};
template <>
struct pgq::codec<unit_serializer_json::json_jobs::silent> {
    static void write(unit_serializer_json::json_jobs::silent, pgq::serializer::json_writer& out) { out.null(); }
    static bool read(pgq::serializer::json_value, unit_serializer_json::json_jobs::silent&) { return false; }
};
/// Text that is itself JSON. Its codec reads a payload during another read.
template <>
struct pgq::codec<unit_serializer_json::json_jobs::calls_back> {
    static void write(const unit_serializer_json::json_jobs::calls_back& c, pgq::serializer::json_writer& out) {
        std::string inner;
        if (!pgq::serializer::json{}.write(c.text, inner)) return out.fail("inner");
        out.string(inner);
    }
    static bool read(pgq::serializer::json_value in, unit_serializer_json::json_jobs::calls_back& c) {
        return (in.is_string() && pgq::serializer::json{}.read(in.text(), c.text)) || in.fail("inner");
    }
};

namespace unit_serializer_json {

using namespace pgq;
using namespace json_jobs;
using namespace std::string_literals;
using namespace std::string_view_literals;
using serializer::basic_json;
using serializer::if_missing;
using serializer::if_unknown;
using serializer::json;
using serializer::json_options;

namespace {

template <class T>
std::string written(const T& value) {
    std::string out;
    json{}.write(value, out).value();
    return out;
}
template <class T>
T read(std::string_view body) {
    T value{};
    json{}.read(body, value).value();
    return value;
}
template <class T, class S = json>
error_info read_error(std::string_view body) {
    T value{};
    const auto r = S{}.read(body, value);
    REQUIRE_FALSE(r.has_value());
    return r.error();
}
template <class T, class S = json>
error_info write_error(const T& value) {
    std::string out;
    const auto r = S{}.write(value, out);
    REQUIRE_FALSE(r.has_value());
    return r.error();
}
template <class T>
bool there_and_back(const T& value) {
    return read<one<T>>(written(one<T>{value})).x == value;
}

}  // namespace

TEST_CASE("can_encode is true for the types that can be members", "[serializer][json]") {
    STATIC_REQUIRE(json::by_members);
    STATIC_REQUIRE(json::supports_member<bool>);
    STATIC_REQUIRE(json::supports_member<std::uint64_t>);
    STATIC_REQUIRE(json::supports_member<long long>);
    STATIC_REQUIRE(json::supports_member<unsigned char>);
    STATIC_REQUIRE(json::supports_member<float>);
    STATIC_REQUIRE(json::supports_member<std::string>);
    STATIC_REQUIRE(json::supports_member<level>);
    STATIC_REQUIRE(json::supports_member<std::vector<std::vector<place>>>);
    STATIC_REQUIRE(json::supports_member<std::variant<std::monostate, place, std::vector<std::byte>>>);
    STATIC_REQUIRE(json::supports_member<std::chrono::system_clock::time_point>);
    STATIC_REQUIRE(json::supports_member<tree>);
    STATIC_REQUIRE(json::supports_member<color>);
}

TEST_CASE("can_encode is false for types that cannot be read back, at any depth, and causes no compile error",
          "[serializer][json]") {
    STATIC_REQUIRE_FALSE(json::supports_member<char>);
    STATIC_REQUIRE_FALSE(json::supports_member<wchar_t>);
    STATIC_REQUIRE_FALSE(json::supports_member<char8_t>);
    STATIC_REQUIRE_FALSE(json::supports_member<long double>);
    STATIC_REQUIRE_FALSE(json::supports_member<const char*>);
    STATIC_REQUIRE_FALSE(json::supports_member<int*>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::unique_ptr<int>>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::string_view>);
    STATIC_REQUIRE_FALSE(json::supports_member<int[3]>);
    STATIC_REQUIRE_FALSE(json::supports_member<const int>);
    STATIC_REQUIRE_FALSE(json::supports_member<int&>);
    STATIC_REQUIRE_FALSE(json::supports_member<void>);
    STATIC_REQUIRE_FALSE(json::supports_member<void()>);
    STATIC_REQUIRE_FALSE(json::supports_member<loose>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::map<int, int>>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::optional<std::optional<int>>>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::optional<std::monostate>>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::chrono::steady_clock::time_point>);
    STATIC_REQUIRE_FALSE(json::supports_member<no_codec>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::tuple<int, no_codec>>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::vector<std::chrono::duration<no_codec>>>);
    STATIC_REQUIRE_FALSE(json::supports_member<deep_no_codec>);
    STATIC_REQUIRE_FALSE(json::supports_member<tree_of_pointers>);
    STATIC_REQUIRE_FALSE(json::supports_member<fixed_member>);
    STATIC_REQUIRE_FALSE(json::supports_member<std::vector<not_default>>);
}

TEST_CASE("json supports adapted jobs if it supports their members", "[serializer][json]") {
    STATIC_REQUIRE(json::supports_job<mail>);
    STATIC_REQUIRE(json::supports_job<tree>);
    STATIC_REQUIRE_FALSE(json::supports_job<holds_no_codec>);
    STATIC_REQUIRE_FALSE(json::supports_job<tree_of_pointers>);
    STATIC_REQUIRE_FALSE(json::supports_job<no_codec>);
    STATIC_REQUIRE_FALSE(json::supports_job<int>);
    // Its members are supported. Another check reports that it cannot be default-constructed.
    STATIC_REQUIRE(json::supports_job<not_default>);
    STATIC_REQUIRE(serializer_for<json, mail>);
    STATIC_REQUIRE_FALSE(serializer_for<json, holds_no_codec>);
}

TEST_CASE("json writes the members in order and without spaces", "[serializer][json]") {
    mail m{.to = {{"a", 1}, {}}, .subject = "hi", .tries = 3};
    CHECK(written(m) == R"({"to":[{"street":"a","number":1},{"street":"","number":7}],)"
                        R"("from":{"street":"home","number":1},"subject":"hi","tries":3})");
}

TEST_CASE("json writes and reads values that are no jobs, for example results", "[serializer][json]") {
    CHECK(written(42) == "42");
    CHECK(read<int>(" 42 ") == 42);
    CHECK(read<std::string>(R"("x")") == "x");
    CHECK(read<std::optional<int>>("null") == std::nullopt);
}

TEMPLATE_TEST_CASE("every integer reads back exactly", "[serializer][json]", signed char, unsigned char, short,
                   unsigned short, int, unsigned, long, unsigned long, long long, unsigned long long) {
    using limits = std::numeric_limits<TestType>;
    for (const TestType n :
         {limits::min(), limits::max(), TestType{0}, TestType{1}, static_cast<TestType>(limits::max() - 1)}) {
        CHECK(written(one<TestType>{n}) == "{\"x\":" + std::to_string(n) + "}");
        CHECK(there_and_back(n));
    }
}

TEST_CASE("an integer out of range is an error", "[serializer][json]") {
    CHECK(read_error<one<std::int8_t>>(R"({"x":128})").message == "$.x: the number does not fit");
    CHECK(read_error<one<std::uint8_t>>(R"({"x":-1})") == errc::invalid_payload);
    CHECK(read_error<one<std::int64_t>>(R"({"x":9223372036854775808})") == errc::invalid_payload);
    CHECK(read_error<one<std::int64_t>>(R"({"x":-9223372036854775809})") == errc::invalid_payload);
    CHECK(read_error<one<std::uint64_t>>(R"({"x":18446744073709551616})") == errc::invalid_payload);
    CHECK(read_error<one<int>>("{\"x\":" + std::string(5000, '9') + "}") == errc::invalid_payload);
    CHECK(read<one<std::uint64_t>>(R"({"x":18446744073709551615})").x == std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("an integer with a fraction or an exponent is an error", "[serializer][json]") {
    for (const auto* body : {R"({"x":1.5})", R"({"x":1.0})", R"({"x":1e3})", R"({"x":-1E-3})"}) {
        CHECK(read_error<one<int>>(body).message == "$.x: expected an integer without fraction or exponent");
    }
    CHECK(read_error<one<int>>(R"({"x":"1"})").message == "$.x: expected an integer, found a string");
    CHECK(read_error<one<int>>(R"({"x":true})").message == "$.x: expected an integer, found a boolean");
    for (const auto* body :
         {R"({"x":01})", R"({"x":+1})", R"({"x":.5})", R"({"x":1.})", R"({"x":0x1})", R"({"x":-})"}) {
        CHECK(read_error<one<double>>(body) == errc::invalid_payload);
    }
}

TEMPLATE_TEST_CASE("every finite number reads back to the last bit", "[serializer][json]", float, double) {
    using limits = std::numeric_limits<TestType>;
    std::vector<TestType> numbers{0,
                                  1,
                                  -1,
                                  TestType{1} / 3,
                                  limits::min(),
                                  limits::max(),
                                  limits::lowest(),
                                  limits::denorm_min(),
                                  limits::epsilon(),
                                  static_cast<TestType>(0.1),
                                  1e22F,
                                  123456789.0F};
    std::mt19937_64 random{7};
    while (numbers.size() < 3000) {
        const TestType fraction = static_cast<TestType>(random()) / static_cast<TestType>(random() | 1U);
        const TestType n = std::ldexp(fraction, static_cast<int>(random() % 200) - 100);
        if (std::isfinite(n)) numbers.push_back(n);
    }
    for (const TestType n : numbers) {
        CAPTURE(n);
        REQUIRE(there_and_back(n));
    }
    CHECK(std::signbit(read<one<TestType>>(written(one<TestType>{-TestType{0}})).x));
}

TEST_CASE("infinity and NaN are written as text", "[serializer][json]") {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    CHECK(written(one<double>{std::nan("")}) == R"({"x":"NaN"})");
    CHECK(written(one<double>{-infinity}) == R"({"x":"-Infinity"})");
    CHECK(std::isnan(read<one<float>>(R"({"x":"NaN"})").x));
    CHECK(there_and_back(infinity));
    CHECK(there_and_back(-infinity));
    CHECK(read_error<one<double>>(R"({"x":"inf"})").message ==
          "$.x: expected a number, \"NaN\", \"Infinity\" or \"-Infinity\", found a string");
}

TEST_CASE("a number too large for its member is an error", "[serializer][json]") {
    CHECK(read_error<one<double>>(R"({"x":1e999})") == errc::invalid_payload);
    CHECK(read_error<one<double>>(R"({"x":-1e99999999999})") == errc::invalid_payload);
    CHECK(read_error<one<float>>(R"({"x":1e39})") == errc::invalid_payload);
    CHECK(read_error<one<double>>("{\"x\":" + std::string(400, '9') + "}") == errc::invalid_payload);
    CHECK(read<one<double>>("{\"x\":" + std::string(300, '9') + "}").x == 1e300);
    CHECK(read<one<double>>("{\"x\":0." + std::string(100, '0') + "1}").x == 1e-101);
    CHECK(read<one<double>>(R"({"x":7})").x == 7.0);
}

TEST_CASE("json escapes only the characters that need it", "[serializer][json]") {
    CHECK(written(one<std::string>{"\"\\/\b\f\n\r\t"}) == R"({"x":"\"\\/\b\f\n\r\t"})");
    CHECK(written(one<std::string>{"\0\x1f\x7f"s}) == "{\"x\":\"\\u0000\\u001f\x7f\"}");
    CHECK(written(one<std::string>{"\u00e9 \u20ac \U0001F600"}) == "{\"x\":\"\u00e9 \u20ac \U0001F600\"}");
}

TEST_CASE("every ASCII character reads back at every position of a string", "[serializer][json]") {
    for (int byte = 0; byte < 128; ++byte) {
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(20, 'x');
            text[at] = static_cast<char>(byte);
            REQUIRE(there_and_back(text));
        }
    }
}

TEST_CASE("json reads every form of an escaped character", "[serializer][json]") {
    CHECK(read<one<std::string>>(R"({"x":"\u0041\u00E9\u20ac\uD83D\uDE00\/\u0000."})").x ==
          "A\u00e9\u20ac\U0001F600/\0."sv);
    CHECK(read<one<std::string>>(R"({"\u0078":"\t"})").x == "\t");
    const auto two = read<std::vector<std::string>>(R"(["\na","b\nb","c","\\","","plain"])");
    CHECK(two == std::vector{"\na"s, "b\nb"s, "c"s, "\\"s, ""s, "plain"s});
}

TEST_CASE("broken escapes, control characters and invalid UTF-8 are errors", "[serializer][json]") {
    for (const auto* body : {R"({"x":"\uD83D"})", R"({"x":"\uDE00"})", R"({"x":"\uD83Dx"})", R"({"x":"\u12"})",
                             R"({"x":"\x"})", "{\"x\":\"\n\"}", "{\"x\":\"\xff\"}", "{\"x\":\"\xc0\x80\"}",
                             "{\"x\":\"\xed\xa0\x80\"}", "{\"\xff\":\"\"}", R"({"x":")"}) {
        CHECK(read_error<one<std::string>>(body) == errc::invalid_payload);
    }
}

TEST_CASE("writing text that is not UTF-8 is an error", "[serializer][json]") {
    for (const auto* bad :
         {"\xff", "\x80", "\xc0\x80", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\xf0\x80\x80\x80"}) {
        CHECK(write_error(one<std::string>{bad}) == errc::invalid_text);
        CHECK(write_error(one<std::string>{"plain, and long enough "s + bad}) == errc::invalid_text);
    }
    const mail m{.to = {{}, {"\xff"}}};
    CHECK(write_error(m).message == "$.to.1.street: the text is not UTF-8");
    CHECK(write_error(std::map<std::string, int>{{"\xff", 1}}) == errc::invalid_text);
}

TEST_CASE("a large string reads back", "[serializer][json]") {
    std::string text(5'000'000, 'x');
    for (std::size_t i = 0; i < text.size(); i += 1000) text[i] = '\n';
    CHECK(there_and_back(text));
    CHECK(there_and_back(std::vector(200'000, "\""s)));
}

TEST_CASE("an enum is written as its number, also without an enumerator", "[serializer][json]") {
    CHECK(written(one<level>{level::high}) == R"({"x":1})");
    CHECK(read<one<level>>(R"({"x":200})").x == static_cast<level>(200));
    CHECK(read_error<one<level>>(R"({"x":256})").message == "$.x: the number does not fit");
    CHECK(written(one<flag>{flag::on}) == R"({"x":true})");
    CHECK(read_error<one<flag>>(R"({"x":2})") == errc::invalid_payload);
    CHECK(there_and_back(wide::most));
    CHECK(written(one<letter>{letter::a}) == R"({"x":97})");
    CHECK(there_and_back(letter::a));
}

TEST_CASE("an optional is written as null or as its value", "[serializer][json]") {
    CHECK(written(one<std::optional<int>>{}) == R"({"x":null})");
    CHECK(there_and_back(std::optional{3}));
    CHECK(there_and_back(std::optional{std::vector{std::optional<int>{}, std::optional{2}}}));
    CHECK(read_error<one<int>>(R"({"x":null})").message == "$.x: expected an integer, found null");
}

TEST_CASE("an array with another number of elements is an error", "[serializer][json]") {
    CHECK(there_and_back(std::array{1, 2, 3}));
    CHECK(there_and_back(std::array<int, 0>{}));
    CHECK(read_error<one<std::array<int, 2>>>(R"({"x":[1]})").message == "$.x: expected 2 elements");
    CHECK(read_error<one<std::array<int, 2>>>(R"({"x":[1,2,3]})") == errc::invalid_payload);
    CHECK(read_error<one<std::array<int, 2>>>(R"({"x":[1,""]})").message ==
          "$.x.1: expected an integer, found a string");
}

TEST_CASE("sequences, maps, tuples and variants read back", "[serializer][json]") {
    CHECK(there_and_back(std::vector<int>{}));
    CHECK(there_and_back(std::vector{true, false}));
    CHECK(there_and_back(std::vector<std::vector<place>>{{}, {{"a", 1}}}));
    CHECK(there_and_back(std::map<std::string, std::vector<int>>{{"", {}}, {"a\"\0"s, {1, 2}}}));
    CHECK(there_and_back(std::unordered_map<std::string, place>{{"k", {"s", 2}}}));
    CHECK(there_and_back(std::pair{1, "two"s}));
    CHECK(there_and_back(std::tuple<>{}));
    CHECK(there_and_back(std::tuple{1, "two"s, std::vector{3.5}}));
    using either = std::variant<std::monostate, int, int, std::string>;
    CHECK(written(one<either>{either{std::in_place_index<2>, 5}}) == R"({"x":[2,5]})");
    CHECK(there_and_back(either{}));
    CHECK(there_and_back(either{std::in_place_index<1>, 5}));
    CHECK(there_and_back(either{std::in_place_index<2>, 5}));
    CHECK(there_and_back(either{"text"}));
}

TEST_CASE("an error in a tuple or a variant names the element", "[serializer][json]") {
    using either = one<std::variant<int, std::string>>;
    CHECK(read_error<either>(R"({"x":[2,1]})").message == "$.x.0: no alternative of the variant has this index");
    CHECK(read_error<either>(R"({"x":[-1,1]})") == errc::invalid_payload);
    CHECK(read_error<either>(R"({"x":[1,1]})").message == "$.x.1: expected a string, found a number");
    CHECK(read_error<either>(R"({"x":[1]})").message == "$.x: expected 2 elements");
    CHECK(read_error<either>(R"({"x":{"index":1}})").message == "$.x: expected an array, found an object");
    CHECK(read_error<one<std::pair<int, int>>>(R"({"x":[1,2,3]})").message == "$.x: expected 2 elements");
    CHECK(read_error<one<std::tuple<int, bool>>>(R"({"x":[1,2]})").message ==
          "$.x.1: expected a boolean, found a number");
}

TEST_CASE("times are written as counts of their own unit", "[serializer][json]") {
    using namespace std::chrono;
    CHECK(written(one<milliseconds>{1min}) == R"({"x":60000})");
    CHECK(written(one<hours>{hours{-2}}) == R"({"x":-2})");
    CHECK(there_and_back(std::chrono::duration<double>{0.1}));
    CHECK(there_and_back(nanoseconds::max()));
    CHECK(written(one<sys_seconds>{sys_days{2024y / 2 / 29}}) == R"({"x":1709164800})");
    CHECK(there_and_back(time_point_cast<microseconds>(system_clock::now())));
    CHECK(there_and_back(sys_days{2024y / 2 / 29}));
}

TEST_CASE("bytes are written as base 64 text", "[serializer][json]") {
    using bytes = std::vector<std::byte>;
    const auto of = [](std::string_view text) {
        bytes b;
        for (const char c : text) b.push_back(static_cast<std::byte>(c));
        return b;
    };
    const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                     {"f", "Zg=="},
                                                                     {"fo", "Zm8="},
                                                                     {"foo", "Zm9v"},
                                                                     {"foob", "Zm9vYg=="},
                                                                     {"fooba", "Zm9vYmE="},
                                                                     {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, text] : vectors) {
        CHECK(written(of(plain)) == "\"" + std::string{text} + "\"");
        CHECK(read<bytes>("\"" + std::string{text} + "\"") == of(plain));
    }
    for (int n = 0; n < 256; ++n)
        CHECK(there_and_back(bytes(static_cast<std::size_t>(n % 5), static_cast<std::byte>(n))));
    for (const auto* bad :
         {"Z", "Zg", "Zg=", "Zg===", "====", "Zh==", "Zm9=", "Z===", "Zm 9", "Zm9v\\n", "Z=g=", "-_-_", "==Zg"}) {
        CAPTURE(bad);
        CHECK(read_error<one<bytes>>("{\"x\":\"" + std::string{bad} + "\"}").message == "$.x: expected base 64 text");
    }
}

TEST_CASE("a missing member has the default of the job type", "[serializer][json]") {
    const mail m = read<mail>(R"({"from":{"street":"x"}})");
    CHECK(m.subject == "none");
    CHECK(m.from == place{"x", 1});
    CHECK(read<mail>(R"({"to":[{}]})").to == std::vector{place{}});
    CHECK(read<mail>("{}").from.street == "home");
}

TEST_CASE("with if_missing::fail a missing member is an error, unless it is optional", "[serializer][json]") {
    using strict = basic_json<json_options{.missing = if_missing::fail}>;
    const auto error =
        read_error<mail, strict>(R"({"to":[{"street":"","number":1},{"number":2}],"from":{},"subject":""})");
    CHECK(error == errc::missing_member);
    CHECK(error.message == "$.to.1.street: the payload lacks it");
    CHECK_FALSE(error.hint.empty());
    mail m{};
    CHECK(strict{}.read(R"({"subject":"","to":[],"from":{"number":1,"street":""}})", m));
}

TEST_CASE("an unknown member is ignored with its contents", "[serializer][json]") {
    const mail m =
        read<mail>(R"({"new":{"a":[1,{"subject":"no"}]},"subject":"yes","":1,"from":{"more":null,"number":3}})");
    CHECK(m.subject == "yes");
    CHECK(m.from == place{"home", 3});
}

TEST_CASE("with if_unknown::fail an unknown member is an error", "[serializer][json]") {
    using strict = basic_json<json_options{.unknown = if_unknown::fail}>;
    const auto error = read_error<mail, strict>(R"({"subject":"s","from":{"strete":"x"}})");
    CHECK(error == errc::unknown_member);
    CHECK(error.message == "$.from.strete: the job type has no such member");
    CHECK(read_error<place, strict>("{\"a\\n\\u0000\u00e9\":1}").message == "$.a????: the job type has no such member");
    CHECK(read_error<place, strict>("{\"" + std::string(500, 'k') + "\":1}").message.size() < 120);
    place p{};
    CHECK(strict{}.read(R"({"number":1})", p));
}

TEST_CASE("a name that appears twice is refused, and the error names it", "[serializer][json]") {
    const auto message = read_error<place>(R"({"number":1,"number":1})").message;
    CHECK(message == "$.number: the payload has it twice");
    CHECK(read_error<place>(R"({"street":"a","street":"b"})") == errc::invalid_payload);
    CHECK(read_error<place>(R"({"number":1,"street":"a","number":2})").message == "$.number: the payload has it twice");
    CHECK(read_error<place>(R"({"number":1,"num\u0062er":2})").message == "$.number: the payload has it twice");
    CHECK(read_error<mail>(R"({"from":{"number":9},"to":[{},{"number":1,"number":1}]})").message ==
          "$.to.1.number: the payload has it twice");
    // A key of a map is data: the error has its number.
    using places = std::map<std::string, place>;
    CHECK(read_error<places>(R"({"a":{"number":1},"b":{},"a":{}})").message == "$.2: the payload has its key twice");
    // Names that the job type does not have are not read.
    CHECK(read<place>(R"({"other":1,"number":3,"other":2})").number == 3);
}

TEST_CASE("members may come in any order", "[serializer][json]") {
    const mail m = read<mail>(R"({"tries":2,"subject":"s","to":[{"number":4,"street":"x"}]})");
    CHECK(m.tries == 2);
    CHECK(m.to == std::vector{place{"x", 4}});
}

TEST_CASE("an error for invalid JSON contains the position", "[serializer][json]") {
    CHECK(read_error<mail>("").message.substr(0, 20) == "$: not JSON at byte ");
    CHECK(read_error<mail>(R"({"to":x})").message.substr(0, 22) == "$: not JSON at byte 6:");
    CHECK(read_error<mail>("{} {}").message == "$: not JSON at byte 3: extra bytes after the value");
    for (const auto* body : {" ", "{", "}", "[", "{}x", "{},", "{\"to\":[],}", "{'to':[]}", "/**/{}", "{}\xff",
                             "\xef\xbb\xbf{}", "nul", "{\"to\" [] }", "{to:[]}"}) {
        CAPTURE(body);
        CHECK(read_error<mail>(body) == errc::invalid_payload);
    }
    CHECK(read_error<mail>("{}\0"sv) == errc::invalid_payload);
    CHECK(read_error<mail>({}) == errc::invalid_payload);
}

TEST_CASE("an error for a wrong kind of value names the place but not the value", "[serializer][json]") {
    const auto error = read_error<mail>(R"({"to":[{},{"street":123456}]})");
    CHECK(error == errc::invalid_payload);
    CHECK(error.message == "$.to.1.street: expected a string, found a number");
    CHECK(error.text().find("123456") == std::string::npos);
    CHECK_FALSE(error.hint.empty());
    CHECK(read_error<mail>("[]").message == "$: expected an object, found an array");
    CHECK(read_error<mail>(R"({"to":{}})").message == "$.to: expected an array, found an object");
    const auto in_map = read_error<std::map<std::string, std::vector<int>>>(R"({"a":[],"secret":[1,"x"]})");
    CHECK(in_map.message == "$.1.1: expected an integer, found a string");
}

TEST_CASE("a payload that is nested too deeply is an error and does not overflow the stack", "[serializer][json]") {
    CHECK(read_error<mail>(std::string(100'000, '[')) == errc::too_deep);
    CHECK(read_error<mail>(R"({"unknown":)" + std::string(100'000, '[')) == errc::too_deep);
    std::string objects;
    for (int i = 0; i < 50'000; ++i) objects += R"({"children":[)";
    const auto error = read_error<tree>(objects);
    CHECK(error == errc::too_deep);
    CHECK(error.hint == "nest less, or raise json_options::max_depth");
}

TEST_CASE("writing and reading have the same maximum depth", "[serializer][json]") {
    tree root{};
    for (int i = 0; i < 15; ++i)
        root = tree{i, {root}};  // 16 objects in 15 arrays; the innermost object has an empty array
    CHECK(read<tree>(written(root)).children.at(0).value == 13);
    CHECK(read_error<std::vector<tree>>("[" + written(root) + "]") == errc::too_deep);
    CHECK(write_error(std::vector<tree>{root}) == errc::too_deep);
    CHECK(read_error<tree>("{\"children\":[" + written(root) + "]}") == errc::too_deep);
    root = tree{15, {root}};
    const auto error = write_error(root);
    CHECK(error == errc::too_deep);
    CHECK(error.message.starts_with("$.children.0.children.0."));
    std::string out;
    CHECK(basic_json<json_options{.max_depth = 34}>{}.write(root, out));
}

TEST_CASE("a payload above max_bytes is neither written nor read", "[serializer][json]") {
    using small = basic_json<json_options{.max_bytes = 10}>;
    std::string out = "what is there does not count";
    CHECK(small{}.write(one<int>{1234}, out));
    CHECK(write_error<one<int>, small>({12345}) == errc::payload_too_large);
    one<int> job{};
    CHECK(small{}.read(R"({"x":1234})", job));
    CHECK(read_error<one<int>, small>(R"({"x":12345})") == errc::payload_too_large);
}

TEST_CASE("a codec of the program is used for its type, also inside other types", "[serializer][json]") {
    CHECK(written(one<std::vector<color>>{{color::green, color::red}}) == R"({"x":["green","red"]})");
    CHECK(there_and_back(std::map<std::string, color>{{"a", color::green}}));
    CHECK(read_error<one<std::vector<color>>>(R"({"x":["red","blue"]})").message == "$.x.1: expected red or green");
}

TEST_CASE("an exception of a codec becomes an error without its text", "[serializer][json]") {
    CHECK(read_error<one<throws>>(R"({"x":1})").message == "$: a codec threw while reading");
    CHECK(write_error(one<throws>{}).message == "$: a codec threw while writing");
}

TEST_CASE("a codec that fails without a reason is an error", "[serializer][json]") {
    CHECK(read_error<one<silent>>(R"({"x":1})") == errc::invalid_payload);
}

TEST_CASE("a codec may read another payload during a read", "[serializer][json]") {
    using pair = std::pair<calls_back, std::string>;
    const auto back = read<std::vector<pair>>(written(std::vector<pair>{{{"\n1"}, "\n2"}, {{"\n3"}, "\n4"}}));
    REQUIRE(back.size() == 2);
    CHECK(back[0].first.text == "\n1");
    CHECK(back[0].second == "\n2");
    CHECK(back[1].first.text == "\n3");
    CHECK(back[1].second == "\n4");
}

}  // namespace unit_serializer_json
