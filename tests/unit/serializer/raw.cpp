#include <pgq/concept/serializer.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/raw.hpp>

#include "support/catch.hpp"

#include <array>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace unit_serializer_raw {

namespace raw_jobs {

struct text {
    std::string content{};
    int noted = 0;  // not adapted, so it is not part of the payload
};
struct bytes {
    std::vector<std::byte> content{};
};
struct number {
    int content = 0;
};
struct two {
    std::string a{};
    std::string b{};
};
struct not_adapted {
    std::string a{};
};
struct throwing {
    int value = 0;
    static throwing from_bytes(std::string_view body) { return {std::stoi(std::string{body})}; }
    void to_bytes(std::string& out) const {
        if (value < 0) throw std::invalid_argument{"secret"};
        out += std::to_string(value);
    }
};
struct answering {
    std::string content{};
    static pgq::result<answering> from_bytes(std::string_view body) {
        if (body.empty()) return pgq::error_info{pgq::errc::missing_member, "nothing there"};
        return answering{std::string{body.substr(1)}};
    }
    pgq::result<void> to_bytes(std::string& out) const {
        if (content == "bad") return pgq::errc::invalid_text;
        out += '>' + content;
        return {};
    }
};
struct reads_only {
    static reads_only from_bytes(std::string_view) { return {}; }
};
struct secret {
    pgq::sensitive<std::string> content{};
};
// The functions that protoc generates for a message. The first type has all of them, the second the minimum.
struct greeting {
    std::string text = "unset";

    bool SerializeToString(std::string*) const { return false; }  // must not be used: AppendToString copies less
    bool AppendToString(std::string* out) const {
        if (text == "incomplete") return false;
        *out += "G" + text;
        return true;
    }
    bool ParseFromString(const std::string&) { return false; }
    bool ParseFromArray(const void* bytes, int size) {
        text.clear();
        const std::string_view body{static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
        if (body.empty() || body.front() != 'G') return false;
        text = body.substr(1);
        return true;
    }
};
struct least_greeting {
    std::string text{};

    bool SerializeToString(std::string* out) const {
        *out = "G" + text;  // replaces the old contents, as protocol buffers do
        return text != "incomplete";
    }
    bool ParseFromString(const std::string& body) {
        text.clear();
        if (body.empty() || body.front() != 'G') return false;
        text = body.substr(1);
        return true;
    }
};
struct writes_only_message {
    bool SerializeToString(std::string*) const { return true; }
};

}  // namespace raw_jobs

}  // namespace unit_serializer_raw

BOOST_HANA_ADAPT_STRUCT(unit_serializer_raw::raw_jobs::text, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_raw::raw_jobs::bytes, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_raw::raw_jobs::number, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_raw::raw_jobs::two, a, b);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_raw::raw_jobs::secret, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_raw::raw_jobs::answering, content);

namespace unit_serializer_raw {

using namespace pgq;
using namespace raw_jobs;
using serializer::raw;

TEST_CASE("raw supports a type with one member of bytes, and a type with to_bytes and from_bytes",
          "[serializer][raw]") {
    STATIC_REQUIRE(raw::supports_job<text>);
    STATIC_REQUIRE(raw::supports_job<bytes>);
    STATIC_REQUIRE(raw::supports_job<throwing>);
    STATIC_REQUIRE(raw::supports_job<answering>);
    STATIC_REQUIRE(serializer_for<raw, text>);
    STATIC_REQUIRE_FALSE(raw::by_members);
}

TEST_CASE("raw does not support other types", "[serializer][raw]") {
    STATIC_REQUIRE_FALSE(raw::supports_job<number>);
    STATIC_REQUIRE_FALSE(raw::supports_job<two>);
    STATIC_REQUIRE_FALSE(raw::supports_job<not_adapted>);
    STATIC_REQUIRE_FALSE(raw::supports_job<reads_only>);
    STATIC_REQUIRE_FALSE(raw::supports_job<int>);
    STATIC_REQUIRE_FALSE(serializer_for<raw, two>);
}

TEST_CASE("raw stores text unchanged", "[serializer][raw]") {
    const std::string any{"\0\xff\"\n", 4};
    std::string out = "x";
    REQUIRE(raw{}.write(text{any}, out));
    CHECK(out == "x" + any);
    text job{"before", 3};
    REQUIRE(raw{}.read(any, job));
    CHECK(job.content == any);
    CHECK(job.noted == 0);
}

TEST_CASE("raw reads an empty payload as an empty member", "[serializer][raw]") {
    text job{"before"};
    REQUIRE(raw{}.read({}, job));
    CHECK(job.content.empty());
    bytes blob{{std::byte{1}}};
    REQUIRE(raw{}.read({}, blob));
    CHECK(blob.content.empty());
    std::string out;
    REQUIRE(raw{}.write(blob, out));
    CHECK(out.empty());
}

TEST_CASE("raw converts an exception of the job type to an error without its text", "[serializer][raw]") {
    throwing job{};
    REQUIRE(raw{}.read("12", job));
    CHECK(job.value == 12);
    const auto read = raw{}.read("twelve", job);
    REQUIRE_FALSE(read);
    CHECK(read.error() == errc::invalid_payload);
    CHECK(read.error().message == "from_bytes of the job type threw");
    std::string out;
    const auto wrote = raw{}.write(throwing{-1}, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error().text().find("secret") == std::string::npos);
}

TEST_CASE("raw returns the error of the job type, and prefers its functions to its one member", "[serializer][raw]") {
    answering job{};
    const auto read = raw{}.read("", job);
    REQUIRE_FALSE(read);
    CHECK(read.error() == errc::missing_member);
    CHECK(read.error().message == "nothing there");
    std::string out;
    REQUIRE(raw{}.write(answering{"a"}, out));
    CHECK(out == ">a");
    REQUIRE(raw{}.read(out, job));
    CHECK(job.content == "a");
    const auto wrote = raw{}.write(answering{"bad"}, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::invalid_text);
}

TEMPLATE_TEST_CASE("raw uses the functions of a message to write and read it", "[serializer][raw]", raw_jobs::greeting,
                   raw_jobs::least_greeting) {
    static_assert(serializer::raw::supports_job<TestType>);
    std::string out = "before";
    REQUIRE(serializer::raw{}.write(TestType{.text = "hello"}, out));
    CHECK(out == "beforeGhello");
    TestType read{.text = "old"};
    REQUIRE(serializer::raw{}.read(std::string_view{out}.substr(6), read));
    CHECK(read.text == "hello");
}

TEMPLATE_TEST_CASE("a message that cannot be serialized or parsed is an error", "[serializer][raw]", raw_jobs::greeting,
                   raw_jobs::least_greeting) {
    std::string out;
    const auto wrote = serializer::raw{}.write(TestType{.text = "incomplete"}, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::invalid_payload);
    TestType job;
    const auto read = serializer::raw{}.read("hello", job);
    REQUIRE_FALSE(read);
    CHECK(read.error() == errc::invalid_payload);
    CHECK(read.error().text().find("hello") == std::string::npos);
}

TEST_CASE("a type that can only be serialized is no message", "[serializer][raw]") {
    STATIC_REQUIRE_FALSE(serializer::raw::supports_job<raw_jobs::writes_only_message>);
}

TEST_CASE("raw writes sensitive bytes only inside encrypted", "[serializer][raw]") {
    STATIC_REQUIRE_FALSE(serializer::raw::supports_job<raw_jobs::secret>);
    STATIC_REQUIRE_FALSE(can_write<serializer::raw, raw_jobs::secret>);
    std::string out;
    REQUIRE(serializer::raw::revealing{}.write(raw_jobs::secret{.content = "engine"}, out));
    CHECK(out == "engine");
}

}  // namespace unit_serializer_raw
