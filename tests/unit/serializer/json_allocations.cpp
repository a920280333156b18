#include <pgq/serializer/json.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>

namespace {

thread_local std::size_t allocations = 0;

}  // namespace

// For this whole program. Every form that ends in these `delete`s is here: a sanitizer brings its own of those that
// are not.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    ++allocations;
    return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
    if (void* memory = operator new(size, std::nothrow)) return memory;
    throw std::bad_alloc{};
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }

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

BOOST_HANA_ADAPT_STRUCT(allocation_jobs::flat, id, name, share, urgent, edge, path);

using namespace pgq;
using serializer::json;

TEST_CASE("json allocates nothing in the steady state for a flat job of small members", "[serializer][json]") {
    const allocation_jobs::flat job{7, "ada \"l\"\n", 0.1, true, 256, "/tmp/cat.jpg"};
    allocation_jobs::flat back{};
    std::string body;
    const auto round = [&] {
        body.clear();
        return json{}.write(job, body) && json{}.read(body, back);
    };
    // A large payload before must not change that.
    allocation_jobs::flat large{.name = std::string(2'000'000, '\n')};
    REQUIRE(json{}.write(large, body));
    REQUIRE(json{}.read(body, large));
    REQUIRE(round());
    const std::size_t before = allocations;
    bool ok = true;
    for (int i = 0; i < 1000; ++i) ok = ok && round();
    const std::size_t after = allocations;
    CHECK(ok);
    CHECK(after == before);
    CHECK(back.name == job.name);

    // The counter counts.
    const std::string counted(100, 'x');
    CHECK(allocations > after);
}
