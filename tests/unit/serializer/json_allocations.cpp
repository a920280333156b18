#include <pgq/serializer/json.hpp>

#include <support/catch.hpp>
#include <support/counting_new.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace unit_serializer_json_allocations {

namespace allocation_jobs {

struct flat {
    std::int64_t id = 0;
    std::string name{};
    double share = 0;
    bool urgent = false;
    std::optional<int> edge{};
    std::string path{};
};

}  // namespace allocation_jobs

}  // namespace unit_serializer_json_allocations

BOOST_HANA_ADAPT_STRUCT(unit_serializer_json_allocations::allocation_jobs::flat, id, name, share, urgent, edge, path);

namespace unit_serializer_json_allocations {

using namespace pgq;
using serializer::json;

TEST_CASE("json allocates nothing in steady state for a flat job with small members", "[serializer][json]") {
    const allocation_jobs::flat job{7, "ada \"l\"\n", 0.1, true, 256, "/tmp/cat.jpg"};
    allocation_jobs::flat back{};
    std::string body;
    const auto round = [&] {
        body.clear();
        return json{}.write(job, body) && json{}.read(body, back);
    };
    // A large payload before it must not change that.
    allocation_jobs::flat large{.name = std::string(2'000'000, '\n')};
    REQUIRE(json{}.write(large, body));
    REQUIRE(json{}.read(body, large));
    REQUIRE(round());
    const std::size_t before = test::allocations;
    bool ok = true;
    for (int i = 0; i < 1000; ++i) ok = ok && round();
    const std::size_t after = test::allocations;
    CHECK(ok);
    CHECK(after == before);
    CHECK(back.name == job.name);

    // Check that the counter works.
    const std::string counted(100, 'x');
    CHECK(test::allocations > after);
}

}  // namespace unit_serializer_json_allocations
