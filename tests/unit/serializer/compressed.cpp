#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>

#include "support/catch.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <zstd.h>

#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace unit_serializer_compressed {

namespace compressed_jobs {

struct letter {
    static constexpr std::string_view entrypoint = "letter";
    std::string text{};
    pgq::sensitive<std::string> pin{};
};
struct blob {
    std::string bytes{};
};

pgq::serializer::key_ring ring;

}  // namespace compressed_jobs

}  // namespace unit_serializer_compressed

BOOST_HANA_ADAPT_STRUCT(unit_serializer_compressed::compressed_jobs::letter, text, pin);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_compressed::compressed_jobs::blob, bytes);

namespace unit_serializer_compressed {

using namespace pgq;
using compressed_jobs::blob;
using compressed_jobs::letter;
using serializer::compressed;
using serializer::compression_options;
using serializer::json;
using serializer::raw;

namespace {

using bytes = compressed<raw>;
constexpr compression_options small{.min_bytes = 0, .max_bytes = 1000};
using bounded = compressed<raw, small>;

template <class S, class Job>
std::string written(const S& s, const Job& job) {
    std::string out;
    s.write(job, out).value();
    return out;
}
error_info failure_of(const result<void>& r) {
    REQUIRE_FALSE(r);
    return r.error();
}
std::string noise(std::size_t size) {
    std::mt19937_64 random{7};
    std::string s(size, '\0');
    for (char& c : s) c = static_cast<char>(random());
    return s;
}
std::string frame_of(const std::string& s) {
    std::string out(ZSTD_compressBound(s.size()), '\0');
    out.resize(ZSTD_compress(out.data(), out.size(), s.data(), s.size(), 1));
    return out;
}

}  // namespace

TEST_CASE("a payload that can be compressed is stored smaller and reads back", "[serializer][compressed]") {
    const blob whole{std::string(100'000, 'x')};
    const std::string body = written(bytes{}, whole);
    CHECK(body.size() < 1000);
    blob read;
    REQUIRE(bytes{}.read(body, read));
    CHECK(read.bytes == whole.bytes);
}

TEST_CASE("a short payload gets one more byte and is not compressed", "[serializer][compressed]") {
    const std::string most(compression_options{}.min_bytes - 1, 'x');
    CHECK(written(bytes{}, blob{most}) == std::string{'\0'} + most);
    CHECK(written(bytes{}, blob{most + "x"}).size() < most.size());
    CHECK(written(bytes{}, blob{}) == std::string(1, '\0'));
}

TEST_CASE("a payload that compression does not make smaller is not compressed", "[serializer][compressed]") {
    const std::string random = noise(5000);
    CHECK(written(bytes{}, blob{random}) == std::string{'\0'} + random);
}

TEST_CASE("writing a compressed payload does not change the bytes before it", "[serializer][compressed]") {
    std::string out(3000, 'a');
    REQUIRE(bytes{}.write(blob{std::string(3000, 'b')}, out));
    CHECK(out.substr(0, 3000) == std::string(3000, 'a'));
    blob read;
    REQUIRE(bytes{}.read(std::string_view{out}.substr(3000), read));
    CHECK(read.bytes == std::string(3000, 'b'));
}

TEST_CASE("a payload larger than max_bytes is neither compressed nor decompressed", "[serializer][compressed]") {
    std::string out;
    CHECK(bounded{}.write(blob{std::string(1000, 'x')}, out));
    CHECK(failure_of(bounded{}.write(blob{std::string(1001, 'x')}, out)) == errc::payload_too_large);
    blob read;
    CHECK(failure_of(bounded{}.read(written(bytes{}, blob{std::string(1001, 'x')}), read)) == errc::payload_too_large);
    CHECK(failure_of(bounded{}.read(std::string{'\0'} + noise(1001), read)) == errc::payload_too_large);
}

TEST_CASE("a payload that declares a huge size allocates no memory", "[serializer][compressed]") {
    // The header of a frame: one segment, eight bytes of content size.
    std::string bomb = frame_of("x").substr(0, 4) + '\xe0' + std::string(6, '\xff') + std::string(2, '\x00');
    bomb.insert(bomb.begin(), '\1');
    blob read;
    CHECK(failure_of(bytes{}.read(bomb, read)) == errc::payload_too_large);
}

TEST_CASE("a compressed payload that declares a wrong size is an error", "[serializer][compressed]") {
    std::string body = written(bytes{}, blob{std::string(3000, 'x')});
    REQUIRE(body[0] == 1);
    const std::size_t size_at = 1 + 4 + 1;  // after our byte, the magic number and the descriptor
    body[size_at] = static_cast<char>(body[size_at] ^ 1);
    blob read;
    CHECK(failure_of(bytes{}.read(body, read)) == errc::invalid_payload);
}

TEST_CASE("a payload that compressed did not write is an error", "[serializer][compressed]") {
    blob read;
    for (const std::string_view body : {R"({"text":"x"})", "", "\x02"})
        CHECK(failure_of(bytes{}.read(body, read)) == errc::invalid_payload);
}

TEST_CASE("compressed returns the error of the inner serializer", "[serializer][compressed]") {
    std::string out;
    CHECK(failure_of(compressed<json>{}.write(std::vector<std::string>{"\xff"}, out)) == errc::invalid_text);
    std::vector<std::string> read;
    CHECK(failure_of(compressed<json>{}.read(std::string_view{"\0[1]", 4}, read)) == errc::invalid_payload);
}

TEST_CASE("a compressed payload can be encrypted, including sensitive members", "[serializer][compressed]") {
    compressed_jobs::ring.use(serializer::secret_key::random("k"));
    using both = serializer::encrypted<compressed<json>, serializer::keys_of<compressed_jobs::ring>>;
    static_assert(both::supports_job<letter> && !compressed<json>::supports_job<letter>);
    const letter whole{.text = std::string(20'000, 'x'), .pin = "1234"};
    const std::string body = written(both{}, whole);
    CHECK(body.size() < 1000);
    letter read;
    REQUIRE(both{}.read(body, read));
    CHECK(read.text == whole.text);
    CHECK(read.pin == whole.pin);
}

}  // namespace unit_serializer_compressed
