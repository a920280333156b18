#include <pgq/detail/decimal.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unit_detail_decimal {

using pgq::detail::decimal;

TEST_CASE("a decimal compares by value and not by notation", "[detail][decimal]") {
    const std::vector<std::vector<std::string_view>> ascending{
        {"-1e300"},
        {"-10", "-1e1", "-010.0"},
        {"-9.5"},
        {"-0.001", "-1e-3"},
        {"0", "-0", "+0.00", ".0", "0.", "0e999"},
        {"1e-999"},
        {"0.1", ".1", "1E-1", "0.10"},
        {"1", "+1", "01", "1.", "1e0", "0.001e+3"},
        {"9007199254740992"},
        {"9007199254740993", "9.007199254740993e15"},
        {"1e999"},
    };
    for (std::size_t i = 0; i < ascending.size(); ++i)
        for (std::size_t k = 0; k < ascending.size(); ++k)
            for (const auto a : ascending[i])
                for (const auto b : ascending[k]) {
                    INFO(a << " and " << b);
                    const auto x = decimal::parse(a), y = decimal::parse(b);
                    REQUIRE((x && y));
                    CHECK((*x < *y) == (i < k));
                    CHECK((*x == *y) == (i == k));
                }
}

TEST_CASE("parse refuses a text that is not a number from its first to its last byte", "[detail][decimal]") {
    for (const std::string_view text : {"",   "+",   "-",   ".",     "-.",  "e1",   "1e",  "1e+", "1e1000", " 1",
                                        "1 ", "1\n", "1,0", "1.2.3", "--1", "0x10", "NaN", "inf", "1f",     "\xD9\xA1"})
        CHECK_FALSE(decimal::parse(text).has_value());
    CHECK(decimal::parse(std::string(decimal::max_length, '1')).has_value());
    CHECK_FALSE(decimal::parse(std::string(decimal::max_length + 1, '1')).has_value());
}

}  // namespace unit_detail_decimal
