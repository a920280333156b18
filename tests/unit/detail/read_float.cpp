#include <pgq/detail/read_float.hpp>
#include <pgq/detail/read_float_by_strtod.hpp>

#include "support/catch.hpp"

#include <charconv>
#include <string_view>
#include <system_error>

namespace unit_detail_read_float {

using namespace std::string_view_literals;

template <class Float>
void check_like_from_chars(std::string_view text) {
    INFO("'" << text << "'");
    Float expected = -7, value = -7, chosen = -7;
    const auto wanted = std::from_chars(text.data(), text.data() + text.size(), expected);
    const auto got = pgq::detail::read_float_by_strtod(text.data(), text.data() + text.size(), value);
    CHECK(got.ec == wanted.ec);
    CHECK(got.ptr - text.data() == wanted.ptr - text.data());
    CHECK(value == expected);
    CHECK(pgq::detail::read_float(text.data(), text.data() + text.size(), chosen).ec == wanted.ec);
    CHECK(chosen == expected);
}

TEST_CASE("a number is read by strtod as from_chars reads it", "[detail][read_float]") {
    for (const auto text : {"0"sv,
                            "1"sv,
                            "-0.25"sv,
                            "0.1"sv,
                            ".5"sv,
                            "5."sv,
                            "1e3"sv,
                            "1E-3"sv,
                            "-2.5e+10"sv,
                            "1.7976931348623157e308"sv,
                            "2.2250738585072014e-308"sv,
                            "9007199254740993"sv,
                            "123456789012345678901234567890"sv,
                            "0.25 page 3"sv,
                            "1e"sv,
                            "1e+"sv,
                            "1.5x"sv,
                            "0x10"sv,
                            "1,5"sv,
                            "2e5e5"sv,
                            "1e-40"sv}) {
        check_like_from_chars<double>(text);
        if (text.find("308") == text.npos) check_like_from_chars<float>(text);
    }
}

TEST_CASE("what is no number is refused as by from_chars", "[detail][read_float]") {
    for (const auto text : {""sv, " 1"sv, "+1"sv, "-"sv, "."sv, "-."sv, "e5"sv, "x"sv, "--1"sv, "- 1"sv}) {
        check_like_from_chars<double>(text);
        check_like_from_chars<float>(text);
    }
}

TEST_CASE("a number that does not fit is out of range, and the output stays as it was", "[detail][read_float]") {
    for (const auto text : {"1e999"sv, "-1e999"sv, "1e-999"sv}) check_like_from_chars<double>(text);
    for (const auto text : {"1e39"sv, "-1e39"sv, "1e-60"sv}) check_like_from_chars<float>(text);
}

}  // namespace unit_detail_read_float
