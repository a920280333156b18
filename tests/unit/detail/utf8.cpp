#include <pgq/detail/utf8.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace unit_detail_utf8 {

using namespace std::string_literals;
using namespace std::string_view_literals;
using pgq::detail::is_storable_text;
using pgq::detail::is_valid_utf8;
using pgq::detail::make_storable;

namespace {

// Encodes by the definition of UTF-8, also code points that are not allowed.
std::string encode(unsigned code) {
    const auto byte = [](unsigned bits) { return static_cast<char>(static_cast<unsigned char>(bits)); };
    const auto trail = [&](unsigned shift) { return byte(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) return {byte(code)};
    if (code < 0x800) return {byte(0xC0 | (code >> 6)), trail(0)};
    if (code < 0x10000) return {byte(0xE0 | (code >> 12)), trail(6), trail(0)};
    return {byte(0xF0 | (code >> 18)), trail(12), trail(6), trail(0)};
}

bool is_character(unsigned code) { return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF); }

}  // namespace

TEST_CASE("every code point up to U+10FFFF is valid, except the surrogates", "[detail][utf8]") {
    std::size_t wrong = 0;
    for (unsigned code = 0; code < 0x200000; ++code)
        if (is_valid_utf8(encode(code)) != is_character(code)) ++wrong;
    CHECK(wrong == 0);
}

TEST_CASE("exactly the well-formed ones of all three-byte strings are valid", "[detail][utf8]") {
    // There are 128 characters of one byte, 1920 of two bytes and 61440 of three bytes. So
    // 128^3 + 2 * 128 * 1920 + 61440 strings of three bytes are valid.
    std::size_t valid = 0;
    std::string text(3, '\0');
    for (unsigned bits = 0; bits < 0x1000000; ++bits) {
        text[0] = static_cast<char>(static_cast<unsigned char>(bits >> 16));
        text[1] = static_cast<char>(static_cast<unsigned char>((bits >> 8) & 0xFF));
        text[2] = static_cast<char>(static_cast<unsigned char>(bits & 0xFF));
        if (is_valid_utf8(text)) ++valid;
    }
    CHECK(valid == 128u * 128 * 128 + 2u * 128 * 1920 + 61440u);
}

TEST_CASE("overlong forms, truncated characters and single continuation bytes are invalid", "[detail][utf8]") {
    const auto bad =
        GENERATE("\xC0\x80"s, "\xC1\xBF"s, "\xE0\x9F\xBF"s, "\xF0\x8F\xBF\xBF"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s,
                 "\xC3"s, "\xE2\x82"s, "\xF0\x9F\x98"s, "\x80"s, "\xFF"s, "\xE2\x28\xA1"s);
    CHECK_FALSE(is_valid_utf8(bad));
    // At every position, because the fast path reads eight bytes at a time.
    for (std::size_t before = 0; before < 20; ++before)
        for (std::size_t after = 0; after < 20; ++after)
            if (is_valid_utf8(std::string(before, 'a') + bad + std::string(after, 'z')))
                FAIL_CHECK("accepted with " << before << " bytes before and " << after << " bytes after");
}

TEST_CASE("valid characters are valid at every position", "[detail][utf8]") {
    CHECK(is_valid_utf8(""));
    for (std::size_t before = 0; before < 20; ++before)
        for (std::size_t after = 0; after < 20; ++after)
            if (!is_valid_utf8(std::string(before, 'a') + "\u00E9\u20AC\U0001F600" + std::string(after, 'z')))
                FAIL_CHECK("refused with " << before << " bytes before and " << after << " bytes after");
}

TEST_CASE("a zero byte is valid UTF-8 but cannot be stored", "[detail][utf8]") {
    CHECK(is_valid_utf8("a\0b"sv));
    CHECK_FALSE(is_storable_text("a\0b"sv));
    CHECK_FALSE(is_storable_text("\xFF"sv));
    CHECK(is_storable_text("na\u00EFve"sv));
    CHECK(is_storable_text(""sv));
}

TEST_CASE("make_storable does not change a storable text", "[detail][utf8]") {
    CHECK(make_storable("connection refused", 100) == "connection refused");
    CHECK(make_storable("\u20AC", 3) == "\u20AC");
    CHECK(make_storable("", 0).empty());
}

TEST_CASE("make_storable replaces invalid characters and zero bytes and keeps the rest", "[detail][utf8]") {
    CHECK(make_storable("a\xFF"s + "b", 100) == "a\uFFFDb");
    CHECK(make_storable("a\0b"sv, 100) == "a\u2400b");
    SECTION("a truncated character becomes one replacement") {
        CHECK(make_storable("\xF0\x9F\x98 smile"sv, 100) == "\uFFFD smile");
        CHECK(make_storable("\xE2\x82"sv, 100) == "\uFFFD");
    }
    SECTION("each byte that cannot begin a character becomes one replacement") {
        CHECK(make_storable("\x80\xC0\xAF"sv, 100) == "\uFFFD\uFFFD\uFFFD");
        CHECK(make_storable("\xED\xA0\x80"sv, 100) == "\uFFFD\uFFFD\uFFFD");
    }
    SECTION("the characters after an invalid one are kept") {
        CHECK(make_storable("\xE2\x28\xA1"sv, 100) == "\uFFFD(\uFFFD");
    }
}

TEST_CASE("make_storable cuts a long text and notes how many bytes are missing", "[detail][utf8]") {
    const auto cut = make_storable(std::string(1000, 'x'), 100);
    CHECK(cut.size() <= 100);
    CHECK(cut.substr(0, 10) == "xxxxxxxxxx");
    const auto kept = cut.find("\u2026");
    REQUIRE(kept != std::string::npos);
    CHECK(cut.substr(kept) == "\u2026 (" + std::to_string(1000 - kept) + " bytes left out)");
}

TEST_CASE("make_storable cuts only between two characters", "[detail][utf8]") {
    std::string smiles;
    for (int i = 0; i < 50; ++i) smiles += "\U0001F600";
    for (std::size_t limit = 0; limit < smiles.size(); ++limit) {
        const auto cut = make_storable(smiles, limit);
        INFO("limit " << limit);
        CHECK(cut.size() <= limit);
        CHECK(is_storable_text(cut));
    }
}

TEST_CASE("the result of make_storable never exceeds the limit, replacements included", "[detail][utf8]") {
    const std::string noise(200, '\xFF');
    for (std::size_t limit : {0u, 1u, 2u, 3u, 4u, 25u, 26u, 27u, 199u, 200u, 599u}) {
        INFO("limit " << limit);
        const auto cut = make_storable(noise, limit);
        CHECK(cut.size() <= limit);
        CHECK(is_storable_text(cut));
    }
    CHECK(make_storable(noise, 600).size() == 600);
    CHECK(make_storable(noise, 600).find("left out") == std::string::npos);
}

TEST_CASE("make_storable omits the note if the limit leaves no room for it", "[detail][utf8]") {
    CHECK(make_storable("0123456789", 5) == "01234");
    CHECK(make_storable("ab\u20AC\u20AC", 4) == "ab");
}

}  // namespace unit_detail_utf8
