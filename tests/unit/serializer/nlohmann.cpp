#include <pgq/concept/serializer.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/msgpack.hpp>
#include <pgq/serializer/nlohmann.hpp>

#include "support/catch.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace unit_serializer_nlohmann {

namespace nlohmann_jobs {

struct picture {
    std::string path{};
    std::int8_t edge = 16;
    std::vector<float> marks{};
    friend bool operator==(const picture&, const picture&) = default;
};
struct own {
    int value = 0;
};
inline void to_json(nlohmann::json& out, const own& o) {
    if (o.value < 0) throw std::invalid_argument{"hidden reason"};
    out = {{"v", o.value}};
}
inline void from_json(const nlohmann::json& in, own& o) {
    o.value = in.at("v").get<int>();
    if (o.value < 0) throw std::invalid_argument{"hidden reason"};
}
struct with_own {
    std::vector<own> owns{};
};
struct tree {
    std::vector<tree> children{};
};
struct bytes {
    std::vector<std::byte> content{};
};
struct text {
    std::string content{};
};
struct real {
    double content = 0;
};
struct with_set {
    std::set<int> content{};
};
struct with_pointer {
    const char* content = nullptr;
};
struct login {
    static constexpr std::string_view entrypoint = "login";
    std::string user{};
    pgq::sensitive<std::string> password{};
};
// The compiler cannot see its sensitive member.
struct own_login {
    static constexpr std::string_view entrypoint = "own_login";
    std::string user{};
    pgq::sensitive<std::string> password{};
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(own_login, user, password)
};

}  // namespace nlohmann_jobs

}  // namespace unit_serializer_nlohmann

BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::picture, path, edge, marks);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::with_own, owns);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::tree, children);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::bytes, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::text, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::real, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::with_set, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::with_pointer, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_nlohmann::nlohmann_jobs::login, user, password);

namespace unit_serializer_nlohmann {

using namespace pgq;
using namespace nlohmann_jobs;
using serializer::if_missing;
using serializer::if_unknown;
using serializer::json_options;
using serializer::msgpack;

namespace {

using as_text = serializer::nlohmann;
constexpr json_options strict_options{.missing = if_missing::fail, .unknown = if_unknown::fail};
using strict = serializer::basic_nlohmann<strict_options>;
constexpr json_options narrow_options{.max_depth = 4, .max_bytes = 100};

template <class S, class Job>
std::string written(const Job& job) {
    std::string out;
    S{}.write(job, out).value();
    return out;
}
template <class Job, class S = as_text>
error_info why_not(std::string_view body) {
    Job job{};
    const auto read = S{}.read(body, job);
    REQUIRE_FALSE(read);
    return read.error();
}
template <class Job, class S = as_text>
std::string problem(std::string_view body) {
    return why_not<Job, S>(body).message;
}

serializer::key_ring ring;

}  // namespace

static_assert(as_text::supports_job<picture> && as_text::supports_job<own> && as_text::supports_job<with_set>);
static_assert(as_text::writes_whole<own> && !as_text::writes_whole<picture>);
static_assert(!as_text::supports_member<const char*> && !as_text::supports_job<with_pointer>);
static_assert(!as_text::supports_member<char> && !as_text::supports_member<std::vector<const char*>>);
static_assert(!as_text::supports_job<login> && as_text::revealing::supports_job<login>);

TEST_CASE("nlohmann writes adapted members as an object", "[serializer][nlohmann]") {
    CHECK(written<as_text>(picture{"cat.jpg", 7, {0.5F}}) == R"({"edge":7,"marks":[0.5],"path":"cat.jpg"})");
}

TEST_CASE("nlohmann prefers the type's own to_json and from_json", "[serializer][nlohmann]") {
    CHECK(written<as_text>(own{3}) == R"({"v":3})");
    CHECK(written<as_text>(with_own{{{1}, {2}}}) == R"({"owns":[{"v":1},{"v":2}]})");
    with_own read;
    REQUIRE(as_text{}.read(R"({"owns":[{"v":5}]})", read));
    REQUIRE(read.owns.size() == 1);
    CHECK(read.owns[0].value == 5);
}

TEST_CASE("an exception of to_json or from_json becomes an error without its text", "[serializer][nlohmann]") {
    std::string out;
    const auto wrote = as_text{}.write(own{-1}, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::invalid_payload);
    CHECK(wrote.error().text().find("hidden") == std::string::npos);
    for (const auto* body : {R"({"v":-1})", R"({"w":"secret"})", R"({"v":"secret"})", R"("secret")"}) {
        const auto text = problem<own>(body);
        CHECK(text.find("secret") == std::string::npos);
        CHECK(text.find("hidden") == std::string::npos);
    }
}

TEST_CASE("errors of nlohmann name the place but never the value", "[serializer][nlohmann]") {
    CHECK(problem<picture>(R"({"path":17})") == "$.path: expected a string, found number");
    CHECK(problem<picture>(R"({"edge":128})") == "$.edge: the number does not fit");
    CHECK(problem<picture>(R"({"edge":-129})") == "$.edge: the number does not fit");
    CHECK(problem<picture>(R"({"edge":1.0})") == "$.edge: expected an integer, found number");
    CHECK(problem<picture>(R"({"marks":[0,1e39]})") == "$.marks.1: the number does not fit");
    CHECK(problem<picture>(R"([1])") == "$: expected an object, found array");
    CHECK(problem<picture>(R"({"path":"secret)").find("secret") == std::string::npos);
    CHECK(problem<picture>(R"({"path":"secret)").substr(0, 19) == "$: not JSON at byte");
}

TEST_CASE("nlohmann applies the settings for missing and unknown members", "[serializer][nlohmann]") {
    picture read{.path = "before", .edge = 1, .marks = {}};
    REQUIRE(as_text{}.read(R"({"path":"p","new":[{}]})", read));
    CHECK(read == picture{.path = "p"});
    CHECK((why_not<picture, strict>(R"({"path":"p"})")) == errc::missing_member);
    CHECK((problem<picture, strict>(R"({"path":"p","edge":1,"marks":[],"new":1})")) ==
          "$.new: the job type has no such member");
}

TEST_CASE("nlohmann: a name that appears twice is refused, and the error names it", "[serializer][nlohmann]") {
    CHECK((why_not<picture, as_text>(R"({"marks":[1,2],"marks":[3]})")) == errc::invalid_payload);
    CHECK((problem<picture, as_text>(R"({"marks":[1,2],"path":"p","marks":[3]})")) ==
          "$.marks: the payload has it twice");
    CHECK((problem<picture, as_text>(R"({"path":"p","marks":[{"a":1},{"b":1,"b":2}]})")) ==
          "$.marks: an object in it has a name twice");
    CHECK((problem<picture, as_text>(R"({"path":"p","other":[{"b":1,"b":2}]})")) ==
          "$.other: an object in it has a name twice");
    picture read;
    CHECK(as_text{}.read(R"({"path":"p","other":[{"b":1},{"b":2}]})", read));
}

TEMPLATE_TEST_CASE("nlohmann applies max_depth and max_bytes", "[serializer][nlohmann]",
                   serializer::basic_nlohmann<narrow_options>, serializer::basic_msgpack<narrow_options>) {
    tree three;
    three.children.resize(1);
    std::string out;
    CHECK(TestType{}.write(three, out));
    tree again;
    CHECK(TestType{}.read(out, again));
    const bool is_text = out.starts_with('{');
    CHECK((why_not<std::vector<tree>, TestType>(is_text ? "[" + out + "]" : "\x91" + out)) == errc::too_deep);
    const auto four = TestType{}.write(std::vector<tree>{three}, out);
    REQUIRE_FALSE(four);
    CHECK(four.error() == errc::too_deep);
    tree five = three;
    five.children[0].children.push_back(three);
    const auto wrote = TestType{}.write(five, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::too_deep);
    out.clear();
    const auto long_one = TestType{}.write(text{std::string(101, 'x')}, out);
    REQUIRE_FALSE(long_one);
    CHECK(long_one.error() == errc::payload_too_large);
    CHECK((why_not<text, TestType>(std::string(101, ' '))) == errc::payload_too_large);
}

TEST_CASE("a hostile payload fills neither the stack nor the memory", "[serializer][nlohmann]") {
    CHECK(why_not<tree>(std::string(1'000'000, '[')) == errc::too_deep);
    CHECK((why_not<tree, msgpack>(std::string(1'000'000, '\x91'))) == errc::too_deep);
    // An array, a map, a text and bytes that each declare four billion elements.
    for (const char head : {'\xdd', '\xdf', '\xdb', '\xc6'})
        CHECK((why_not<tree, msgpack>(head + std::string(4, '\xff'))) == errc::invalid_payload);
}

TEST_CASE("MessagePack accepts text that is not UTF-8, JSON does not", "[serializer][nlohmann]") {
    std::string out;
    const auto wrote = as_text{}.write(text{"\xff"}, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::invalid_text);
    CHECK(wrote.error().message == "$.content: the text is not UTF-8");
    text read;
    REQUIRE(msgpack{}.read(written<msgpack>(text{"\xff"}), read));
    CHECK(read.content == "\xff");
}

TEST_CASE("bytes are base 64 in JSON and binary in MessagePack", "[serializer][nlohmann]") {
    const bytes some{{std::byte{1}, std::byte{255}}};
    CHECK(written<as_text>(some) == R"({"content":"Af8="})");
    CHECK(written<msgpack>(some) == std::string_view{"\x81\xa7"
                                                     "content\xc4\x02\x01\xff",
                                                     13});
    CHECK((problem<bytes, msgpack>(written<msgpack>(text{"Af8="}))) == "$.content: expected bytes, found string");
    CHECK(problem<bytes>(R"({"content":"?"})") == "$.content: expected base 64 text");
}

TEMPLATE_TEST_CASE("infinity and NaN read back", "[serializer][nlohmann]", as_text, msgpack) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (const double value : {infinity, -infinity, std::nan("")}) {
        real read;
        REQUIRE(TestType{}.read(written<TestType>(real{value}), read));
        CHECK((std::isnan(value) ? std::isnan(read.content) : read.content == value));
    }
}

TEST_CASE("msgpack writes standard MessagePack", "[serializer][msgpack]") {
    CHECK(written<msgpack>(own{3}) == "\x81\xa1v\x03");
    CHECK(nlohmann::json::from_msgpack(written<msgpack>(picture{"p", -2, {}})) ==
          nlohmann::json({{"path", "p"}, {"edge", -2}, {"marks", nlohmann::json::array()}}));
    CHECK((problem<own, msgpack>("\x81\xa1v")).substr(0, 26) == "$: not MessagePack at byte");
}

TEMPLATE_TEST_CASE("a sensitive member inside the program's own conversion needs encryption too",
                   "[serializer][nlohmann]", as_text, msgpack) {
    const own_login ada{.user = "ada", .password = "engine"};
    std::string out;
    const auto wrote = TestType{}.write(ada, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error().message == "$: a sensitive value cannot be written without encryption");
    CHECK(out.find("engine") == std::string::npos);
    nlohmann::json for_a_log;  // separate, because its constructor would leak memory if to_json throws
    CHECK_THROWS(to_json(for_a_log, ada));

    ring.use(serializer::secret_key::random("k"));
    using sealed = serializer::encrypted<TestType, serializer::keys_of<ring>>;
    own_login read;
    REQUIRE(sealed{}.read(written<sealed>(ada), read));
    CHECK(read.password == ada.password);
    CHECK_THROWS(to_json(for_a_log, ada));
}

TEST_CASE("an error inside a sensitive member names only the member", "[serializer][nlohmann]") {
    ring.use(serializer::secret_key::random("k"));
    using revealing = as_text::revealing;
    CHECK((problem<login, revealing>(R"({"user":"ada","password":1234})")) ==
          "$.password: an invalid value for a sensitive member");
}

}  // namespace unit_serializer_nlohmann
