#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/msgpack.hpp>
#include <pgq/serializer/nlohmann.hpp>
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

namespace laws_serializer_nlohmann {

namespace nlohmann_laws {

using namespace std::string_literals;

enum class level : std::int8_t { low = -1, high = 1 };
enum class color { red, green };
NLOHMANN_JSON_SERIALIZE_ENUM(color, {{color::red, "red"}, {color::green, "green"}})

struct place {
    std::string street{};
    std::optional<int> number{};
    friend bool operator==(const place&, const place&) = default;
};
// Functions of the program convert it, also if it is a member of another type.
struct point {
    int x = 0;
    double y = 0;
    friend bool operator==(const point&, const point&) = default;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(point, x, y)
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
    color which = color::red;
    point where{};
    std::vector<point> path{};
    nlohmann::json any_json{};
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
struct login {
    static constexpr std::string_view entrypoint = "login";
    std::string user{};
    std::vector<pgq::sensitive<std::string>> passwords{};
    friend bool operator==(const login&, const login&) = default;
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
    job.which = color::green;
    job.where = {1, -0.5};
    job.path = {{2, 0}, {3, 1e300}};
    job.any_json = {{"a", {1, 2, nullptr}}, {"b", "text"}};
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

pgq::serializer::key_ring ring;

}  // namespace nlohmann_laws

}  // namespace laws_serializer_nlohmann

BOOST_HANA_ADAPT_STRUCT(laws_serializer_nlohmann::nlohmann_laws::place, street, number);
BOOST_HANA_ADAPT_STRUCT(laws_serializer_nlohmann::nlohmann_laws::everything, flag, tiny, small, big, bigger, single,
                        real, text, how, which, where, path, any_json, maybe, places, three, bits, sorted, hashed, any,
                        pause, when, blob, two, some, home);
BOOST_HANA_ADAPT_STRUCT(laws_serializer_nlohmann::nlohmann_laws::nothing);
BOOST_HANA_ADAPT_STRUCT(laws_serializer_nlohmann::nlohmann_laws::login, user, passwords);

namespace laws_serializer_nlohmann {

using namespace pgq;
using namespace nlohmann_laws;
using laws::check_serializer;

TEMPLATE_TEST_CASE("serializer::nlohmann and serializer::msgpack keep the serializer laws", "[serializer][laws]",
                   serializer::nlohmann, serializer::msgpack) {
    SECTION("with every type of member") { check_serializer(TestType{}, std::vector{everything{}, full()}); }
    SECTION("without members") { check_serializer(TestType{}, std::vector{nothing{}}); }
    SECTION("with the program's own conversion") { check_serializer(TestType{}, std::vector<point>{{}, {7, 0.25}}); }
    SECTION("compressed and encrypted, with sensitive members") {
        ring.use(serializer::secret_key::random("laws"));
        using sealed = serializer::encrypted<serializer::compressed<TestType>, serializer::keys_of<ring>>;
        check_serializer(sealed{}, std::vector<login>{{}, {"ada", {"engine", "loom"}}});
    }
}

}  // namespace laws_serializer_nlohmann
