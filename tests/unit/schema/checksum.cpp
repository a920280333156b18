#include <pgq/schema/checksum.hpp>
#include <pgq/schema/generated.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace unit_schema_checksum {

namespace {

constexpr std::int64_t sum(std::string_view sql) { return pgq::schema::sql_checksum{sql}.value(); }

using texts = std::pair<std::string_view, std::string_view>;

}  // namespace

TEST_CASE("the checksum is FNV-1a of a text without comments and blank space", "[schema][checksum]") {
    STATIC_REQUIRE(static_cast<std::uint64_t>(sum("")) == 0xcbf29ce484222325u);
    STATIC_REQUIRE(static_cast<std::uint64_t>(sum("a")) == 0xaf63dc4c8601ec8cu);
    STATIC_REQUIRE(static_cast<std::uint64_t>(sum("foobar")) == 0x85944171f73967e8u);
    STATIC_REQUIRE(sum(" -- all\n/* of it */ ") == sum(""));
}

TEST_CASE("comments and blank space do not change the checksum", "[schema][checksum]") {
    const auto [a, b] =
        GENERATE(texts{"SELECT a, b", "SELECT\n\t a ,b  "}, texts{"SELECT 1", "SELECT 1 -- one\n"},
                 texts{"SELECT 1", "-- x\nSELECT 1"}, texts{"a b", "a--\nb"}, texts{"a b", "a/**/b"},
                 texts{"a b", "a /* c /* nested */ ' \" $$ */ b"}, texts{"f(1)", "f ( 1 )"}, texts{"x = 'a'", "x='a'"},
                 texts{"a -1", "a - 1"}, texts{"'it''s' -- don't", "'it''s'"},
                 texts{"AS $$ BEGIN NULL; END $$", "AS $$\n-- it's\nBEGIN /* \" */ NULL;\nEND $$"},
                 texts{"a\r\nb", "a\nb"}, texts{R"('\' -- a)", R"('\')"});
    CAPTURE(a, b);
    CHECK(sum(a) == sum(b));
}

TEST_CASE("what PostgreSQL reads differently has another checksum", "[schema][checksum]") {
    const auto [a, b] =
        GENERATE(texts{"'a b'", "'a  b'"}, texts{"'a -- b'", "'a -- c'"}, texts{"'a /* b'", "'a /* c'"},
                 texts{"\"a b\"", "\"a  b\""}, texts{"\"--a\"", "\"--b\""}, texts{"'it''s -- a'", "'it''s -- b'"},
                 texts{"ab", "a b"}, texts{"1 .5", "1.5"}, texts{"'a' 'b'", "'a''b'"}, texts{"a - -1", "a --1"},
                 texts{"a < = b", "a <= b"}, texts{"x", "X"}, texts{R"(E'\' -- a')", R"(E'\' -- b')"},
                 texts{R"('\' + 'a')", R"('\' + 'b')"}, texts{"$$ SELECT 'a  b' $$", "$$ SELECT 'a b' $$"},
                 texts{"$$ SELECT 1 $$", "$$ SELECT 2 $$"}, texts{"E'a'", "E 'a'"}, texts{"a; b", "a, b"});
    CAPTURE(a, b);
    CHECK(sum(a) != sum(b));
}

TEST_CASE("an unfinished text has a checksum, too", "[schema][checksum]") {
    for (const std::string_view text : {"'a", "\"a", "/* a", "/* /* a */", "-- a", "E'\\", "$$ a", "/", "-"}) {
        CAPTURE(text);
        CHECK(sum(text) == sum(std::string{text}));
    }
}

TEST_CASE("a migration keeps its checksum without its comments, and loses it with any other line",
          "[schema][checksum]") {
    for (const auto& m : pgq::schema::migrations) {
        std::string bare;
        for (std::size_t at = 0; at < m.sql.size();) {
            const auto end = std::min(m.sql.find('\n', at), m.sql.size());
            const auto line = m.sql.substr(at, end - at);
            if (const auto text = line.find_first_not_of(' '); text != line.npos && line.substr(text, 2) != "--")
                bare += std::string{line.substr(text)} + "\n";
            at = end + 1;
        }
        CHECK(bare.size() < m.sql.size());
        CHECK(sum(bare) == m.checksum());
        const auto last = bare.rfind('\n', bare.size() - 2);
        CHECK(sum(bare.substr(0, last)) != m.checksum());
    }
}

}  // namespace unit_schema_checksum
