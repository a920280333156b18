#include <pgq/job/members.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/testing/laws/serializer.hpp>

#include "support/catch.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace laws_serializer {

namespace law_jobs {

using namespace std::string_literals;

enum class level : std::int8_t { low = -1, high = 1 };

struct place {
    std::string street{};
    std::optional<int> number{};
    friend bool operator==(const place&, const place&) = default;
};
struct everything {
    bool flag = false;
    std::int8_t tiny = 0;
    std::uint16_t small = 0;
    std::int64_t big = 0;
    std::uint64_t bigger = 0;
    float single = 0;
    double real = 0;
    std::string text = "default";
    level how = level::low;
    std::optional<std::string> maybe{};
    std::vector<place> places{};
    std::array<int, 3> three{};
    std::vector<bool> bits{};
    std::map<std::string, double> sorted{};
    std::unordered_map<std::string, std::vector<int>> hashed{};
    std::variant<std::monostate, int, std::string, place> any{};
    std::chrono::milliseconds pause{};
    std::chrono::sys_time<std::chrono::microseconds> when{};
    std::vector<std::byte> blob{};
    std::pair<int, std::string> two{};
    std::tuple<bool, int, place> some{};
    place home{.street = "default", .number = 1};
    friend bool operator==(const everything&, const everything&) = default;
};
struct nothing {
    friend bool operator==(const nothing&, const nothing&) = default;
};
struct text {
    std::string content{};
    friend bool operator==(const text&, const text&) = default;
};
struct bytes {
    std::vector<std::byte> content{};
    friend bool operator==(const bytes&, const bytes&) = default;
};
/// A country code of two letters.
struct country {
    std::array<char, 2> code{'x', 'x'};
    static pgq::result<country> from_bytes(std::string_view body) {
        if (body.size() != 2) return pgq::error_info{pgq::errc::invalid_payload, "a country has two letters"};
        return country{{body[0], body[1]}};
    }
    void to_bytes(std::string& out) const { out.append(code.data(), code.size()); }
    friend bool operator==(const country&, const country&) = default;
};

inline everything full() {
    everything job;
    job.flag = true;
    job.tiny = -128;
    job.small = 65535;
    job.big = std::numeric_limits<std::int64_t>::min();
    job.bigger = std::numeric_limits<std::uint64_t>::max();
    job.single = 0.1F;
    job.real = 5e-324;
    job.text = "quote \" backslash \\ zero \0 end \x7f \t\r\n, \u00e9 \u20ac \U0001F600"s;
    job.how = level::high;
    job.maybe = "";
    job.places = {{"a", 1}, {"b", {}}, {}};
    job.three = {1, 2, 3};
    job.bits = {true, false, true};
    job.sorted = {{"", 1.5}, {"\"", -0.0}, {"k", 1e300}};
    job.hashed = {{"one", {1}}, {"none", {}}};
    job.any = place{"inside", 7};
    job.pause = std::chrono::milliseconds{-1};
    job.when = std::chrono::sys_time<std::chrono::microseconds>{std::chrono::microseconds{1'700'000'000'123'456}};
    job.blob = {std::byte{0}, std::byte{255}, std::byte{16}, std::byte{32}};
    job.two = {2, "two"};
    job.some = {true, -1, {"t", 0}};
    job.home = {"", {}};
    return job;
}

}  // namespace law_jobs

}  // namespace laws_serializer

BOOST_HANA_ADAPT_STRUCT(laws_serializer::law_jobs::place, street, number);
BOOST_HANA_ADAPT_STRUCT(laws_serializer::law_jobs::everything, flag, tiny, small, big, bigger, single, real, text, how,
                        maybe, places, three, bits, sorted, hashed, any, pause, when, blob, two, some, home);
BOOST_HANA_ADAPT_STRUCT(laws_serializer::law_jobs::nothing);
BOOST_HANA_ADAPT_STRUCT(laws_serializer::law_jobs::text, content);
BOOST_HANA_ADAPT_STRUCT(laws_serializer::law_jobs::bytes, content);

namespace laws_serializer {

using namespace pgq;
using laws::check_serializer;
using laws::cut_bodies;

TEST_CASE("serializer::json keeps the serializer laws with every type of member", "[serializer][laws]") {
    check_serializer(serializer::json{}, std::vector{law_jobs::everything{}, law_jobs::full()});
}
TEST_CASE("serializer::json keeps the serializer laws with a job without members", "[serializer][laws]") {
    check_serializer(serializer::json{}, std::vector{law_jobs::nothing{}});
}
TEST_CASE("a strict serializer::json keeps the serializer laws", "[serializer][laws]") {
    constexpr serializer::json_options strict{.missing = serializer::if_missing::fail,
                                              .unknown = serializer::if_unknown::fail};
    check_serializer(serializer::basic_json<strict>{}, std::vector{law_jobs::everything{}, law_jobs::full()});
}
TEST_CASE("serializer::raw keeps the serializer laws with text", "[serializer][laws]") {
    check_serializer(serializer::raw{}, std::vector<law_jobs::text>{{""}, {"short"}, {std::string(300, '\xff')}},
                     cut_bodies::may_pass);
}
TEST_CASE("serializer::raw keeps the serializer laws with bytes", "[serializer][laws]") {
    check_serializer(serializer::raw{}, std::vector<law_jobs::bytes>{{}, {std::vector<std::byte>(300, std::byte{7})}},
                     cut_bodies::may_pass);
}
TEST_CASE("serializer::raw keeps the serializer laws with a type that converts itself to bytes", "[serializer][laws]") {
    check_serializer(serializer::raw{}, std::vector<law_jobs::country>{{{'d', 'e'}}, {{'f', 'r'}}});
}

}  // namespace laws_serializer
