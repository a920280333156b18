#include <pgq/statement/params.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace unit_statement_params {

namespace wire = pgq::statement::wire;
using pgq::statement::params;
using wire::array_reader;

namespace {

std::string_view cell(const params& p, std::size_t i) { return {p.value(i), static_cast<std::size_t>(p.length(i))}; }

}  // namespace

TEST_CASE("each parameter has its type, its bytes and its length", "[statement][params]") {
    params p;
    p.number(std::int16_t{1})
        .number(std::int32_t{2})
        .number(std::int64_t{3})
        .text("tree")
        .bytes({"\0x", 2})
        .tid(0x10002);
    REQUIRE(p.size() == 6);
    const std::vector<wire::oid> types{p.types(), p.types() + p.size()};
    CHECK(types == std::vector<wire::oid>{wire::int2_oid, wire::int4_oid, wire::int8_oid, wire::text_oid,
                                          wire::bytea_oid, wire::tid_oid});
    CHECK(cell(p, 0) == std::string_view("\0\1", 2));
    CHECK(cell(p, 1) == std::string_view("\0\0\0\2", 4));
    CHECK(cell(p, 2) == std::string_view("\0\0\0\0\0\0\0\3", 8));
    CHECK(cell(p, 3) == "tree");
    CHECK(cell(p, 4) == std::string_view("\0x", 2));
    CHECK(wire::load_tid(p.value(5)) == 0x10002);
}

TEST_CASE("an empty text is a parameter with no bytes, not NULL", "[statement][params]") {
    params p;
    p.text("").bytes("").number(std::int16_t{7});
    CHECK(p.length(0) == 0);
    CHECK(p.value(0) != nullptr);
    CHECK(p.length(1) == 0);
    CHECK(wire::load<std::int16_t>(p.value(2)) == 7);
}

TEST_CASE("arrays of each kind are read back unchanged", "[statement][params]") {
    const std::vector<std::string> words{"", "a", std::string("z\0z", 3), "größer"};
    params p;
    p.int2s(2, [](std::size_t i) { return static_cast<std::int16_t>(i); })
        .int4s(2, [](std::size_t i) { return -static_cast<std::int32_t>(i); })
        .texts(4, [&](std::size_t i) { return words[i]; })
        .byteas(4, [&](std::size_t i) { return words[i]; })
        .tids(1, [](std::size_t) { return std::uint64_t{9} << 16 | 1; });

    CHECK(p.types()[0] == wire::int2_array);
    CHECK(p.types()[2] == wire::text_array);
    array_reader shorts{cell(p, 0)}, ints{cell(p, 1)}, texts{cell(p, 2)}, blobs{cell(p, 3)}, places{cell(p, 4)};
    CHECK(shorts.next_number<std::int16_t>() == 0);
    CHECK(shorts.next_number<std::int16_t>() == 1);
    CHECK(ints.next_number<std::int32_t>() == 0);
    CHECK(ints.next_number<std::int32_t>() == -1);
    CHECK(texts.element_type() == wire::text_oid);
    CHECK(blobs.element_type() == wire::bytea_oid);
    for (const auto& w : words) {
        CHECK(texts.next() == w);
        CHECK(blobs.next() == w);
    }
    CHECK(wire::load_tid(places.next().data()) == (std::uint64_t{9} << 16 | 1));
    CHECK((shorts.ok() && ints.ok() && texts.ok() && blobs.ok() && places.ok()));
}

TEST_CASE("cleared parameters can be filled again", "[statement][params]") {
    params p;
    p.text("a long text that will not be sent").number(std::int64_t{1});
    p.clear();
    CHECK(p.size() == 0);
    CHECK(p.total_bytes() == 0);
    p.text("b");
    CHECK(p.size() == 1);
    CHECK(cell(p, 0) == "b");
}

TEST_CASE("parameters stay valid when their buffer grows", "[statement][params]") {
    params p;
    p.text("first");
    p.bytes(std::string(100000, 'x'));
    p.text("last");
    CHECK(cell(p, 0) == "first");
    CHECK(cell(p, 1).size() == 100000);
    CHECK(cell(p, 2) == "last");
}

TEST_CASE("a parameter too many is an error, and those before it stay as they are", "[statement][params]") {
    params p;
    for (std::size_t i = 0; i < params::max_count; ++i) p.number(static_cast<std::int32_t>(i));
    const auto bytes = p.total_bytes();
    CHECK_THROWS_AS(p.number(std::int32_t{99}), std::length_error);
    CHECK_THROWS_AS(p.text("x"), std::length_error);
    CHECK_THROWS_AS(p.null(wire::int4_oid), std::length_error);
    CHECK_THROWS_AS(p.tid(1), std::length_error);
    CHECK_THROWS_AS(p.texts(1, [](std::size_t) { return std::string_view{"x"}; }), std::length_error);
    CHECK_THROWS_AS(p.texts_or_null(1, [](std::size_t) { return std::string_view{"x"}; }), std::length_error);
    CHECK(p.size() == params::max_count);
    CHECK(p.total_bytes() == bytes);
    CHECK(wire::load<std::int32_t>(p.value(params::max_count - 1)) == params::max_count - 1);
}

}  // namespace unit_statement_params
