#include <pgq/statement/params.hpp>
#include <pgq/statement/wire.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace unit_statement_wire {

namespace wire = pgq::statement::wire;
using pgq::statement::params;
using wire::array_reader;

namespace {

std::string_view cell(const params& p, std::size_t i = 0) {
    return {p.value(i), static_cast<std::size_t>(p.length(i))};
}

std::string int8_array(const std::vector<std::int64_t>& values) {
    params p;
    p.int8s(values.size(), [&](std::size_t i) { return values[i]; });
    return std::string{cell(p)};
}

// The header of an array with these dimensions.
std::string header(const std::vector<std::int32_t>& lengths) {
    std::string out;
    wire::append(out, static_cast<std::int32_t>(lengths.size()));
    wire::append(out, std::int32_t{1});
    wire::append(out, wire::text_oid);
    for (const auto n : lengths) {
        wire::append(out, n);
        wire::append(out, std::int32_t{1});
    }
    return out;
}

// Reads on past the end, as a careless caller would.
void read_everything(std::string_view field) {
    array_reader numbers{field};
    for (std::size_t i = 0, n = numbers.size(); i < n + 3; ++i) (void)numbers.next_number<std::int64_t>();
    CHECK_FALSE(numbers.ok());
    array_reader texts{field};
    std::size_t bytes = 0;
    for (std::size_t i = 0, n = texts.size(); i < n; ++i) bytes += texts.next().size();
    CHECK(bytes <= field.size());
}

}  // namespace

TEST_CASE("numbers are sent with the high byte first", "[statement][wire]") {
    std::string out;
    wire::append(out, std::int16_t{0x0102});
    wire::append(out, std::int32_t{-2});
    wire::append(out, std::int64_t{0x0102030405060708});
    CHECK(out == std::string("\x01\x02\xff\xff\xff\xfe\x01\x02\x03\x04\x05\x06\x07\x08", 14));
    CHECK(wire::load<std::int16_t>(out.data()) == 0x0102);
    CHECK(wire::load<std::int32_t>(out.data() + 2) == -2);
    CHECK(wire::load<std::int64_t>(out.data() + 6) == 0x0102030405060708);
}

TEST_CASE("the location of a row is read back unchanged", "[statement][wire]") {
    for (const std::uint64_t place : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x12345} << 16 | 0x29,
                                      std::uint64_t{0xffffffff} << 16 | 0xffff}) {
        std::string out;
        wire::append_tid(out, place);
        REQUIRE(out.size() == 6);
        CHECK(wire::load_tid(out.data()) == place);
    }
}

TEST_CASE("an array is read back element by element", "[statement][wire]") {
    const std::vector<std::int64_t> values{0, -1, 7, std::numeric_limits<std::int64_t>::min()};
    const auto bytes = int8_array(values);
    array_reader r{bytes};
    CHECK(r.size() == 4);
    CHECK(r.element_type() == wire::int8_oid);
    for (const auto v : values) CHECK(r.next_number<std::int64_t>() == v);
    CHECK(r.ok());
}

TEST_CASE("an empty array has no dimension and no elements", "[statement][wire]") {
    const auto bytes = int8_array({});
    CHECK(bytes.size() == 12);
    array_reader r{bytes};
    CHECK(r.size() == 0);
    CHECK(r.ok());
    CHECK(r.next().empty());
    CHECK_FALSE(r.ok());
}

TEST_CASE("NULL differs from an empty element", "[statement][wire]") {
    std::string bytes = header({3});
    wire::append(bytes, std::int32_t{-1});
    wire::append(bytes, std::int32_t{0});
    wire::append(bytes, std::int32_t{2});
    bytes += "ab";
    array_reader r{bytes};
    REQUIRE(r.size() == 3);
    CHECK(r.next().empty());
    CHECK(r.was_null());
    CHECK(r.next().empty());
    CHECK_FALSE(r.was_null());
    CHECK(r.next() == "ab");
    CHECK(r.ok());
}

TEST_CASE("NULL is not a number", "[statement][wire]") {
    std::string bytes = header({1});
    wire::append(bytes, std::int32_t{-1});
    array_reader r{bytes};
    CHECK(r.next_number<std::int64_t>() == 0);
    CHECK_FALSE(r.ok());
}

TEST_CASE("a table is read row by row", "[statement][wire]") {
    std::string bytes = header({2, 3});
    for (const char c : std::string_view{"abcdef"}) {
        wire::append(bytes, std::int32_t{1});
        bytes += c;
    }
    array_reader r{bytes};
    REQUIRE(r.size() == 6);
    std::string read;
    for (int i = 0; i < 6; ++i) read += r.next();
    CHECK(read == "abcdef");
    CHECK(r.ok());
}

TEST_CASE("an array that is cut off at any point is no array, and reading it does no harm", "[statement][wire]") {
    const auto whole = int8_array({1, 2, 3});
    for (std::size_t n = 0; n < whole.size(); ++n) {
        // A buffer of exactly that size, so that a sanitizer detects a read past it.
        const std::vector<char> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n));
        const std::string_view field{cut.data(), cut.size()};
        array_reader r{field};
        for (int i = 0; i < 3; ++i) (void)r.next_number<std::int64_t>();
        CHECK_FALSE(r.ok());
        read_everything(field);
    }
}

TEST_CASE("an array that claims more elements than its bytes can hold has none", "[statement][wire]") {
    for (const auto& lengths : std::vector<std::vector<std::int32_t>>{
             {1},
             {-1},
             {-1, -1},
             {std::numeric_limits<std::int32_t>::max()},
             {std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max(),
              std::numeric_limits<std::int32_t>::max(), std::numeric_limits<std::int32_t>::max()},
             {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::min()},
             {1, 1, 1, 1, 1, 1, 1}}) {
        const auto bytes = header(lengths);
        array_reader r{bytes};
        CHECK(r.size() == 0);
        CHECK_FALSE(r.ok());
        read_everything(bytes);
    }
}

TEST_CASE("an element longer than the remaining bytes ends the array", "[statement][wire]") {
    std::string bytes = header({2});
    wire::append(bytes, std::numeric_limits<std::int32_t>::max());
    bytes += "abcdefgh";
    array_reader r{bytes};
    CHECK(r.next().empty());
    CHECK_FALSE(r.ok());
    CHECK(r.size() == 0);
}

TEST_CASE("reading any bytes ends, and stays inside the buffer", "[statement][wire]") {
    std::minstd_rand random{4711};
    for (int i = 0; i < 20000; ++i) {
        auto bytes = int8_array({1, 2, 3, 4});
        const auto changes = 1 + random() % 6;
        for (unsigned c = 0; c < changes; ++c) bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
        const std::vector<char> exact(bytes.begin(), bytes.end());
        array_reader r{std::string_view{exact.data(), exact.size()}};
        const auto n = r.size();
        REQUIRE(n <= exact.size() / 4);
        for (std::size_t k = 0; k < n + 2; ++k) REQUIRE(r.next().size() <= exact.size());
    }
}

}  // namespace unit_statement_wire
