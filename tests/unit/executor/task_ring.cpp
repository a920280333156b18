#include <pgq/executor/task_ring.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <cstdint>

namespace unit_executor_task_ring {

using pgq::detail::task_ring;

TEST_CASE("a task ring is first in, first out, also while it grows and wraps around", "[executor][task_ring]") {
    task_ring ring;
    std::uint32_t in = 0;
    std::uint32_t out = 0;
    for (std::uint32_t round = 0; round < 300; ++round) {
        for (std::uint32_t i = 0; i < round % 17 + 3; ++i) ring.push({.position = in++});
        for (std::uint32_t i = 0; i < round % 13 + 3 && !ring.empty(); ++i)
            if (ring.pop().position != out++) FAIL("out of order at " << out);
    }
    CHECK(ring.size() == in - out);
    while (!ring.empty())
        if (ring.pop().position != out++) FAIL("out of order at " << out);
    CHECK(in == out);
}

TEST_CASE("a task ring that is large enough does not grow", "[executor][task_ring]") {
    task_ring ring;
    CHECK(ring.capacity() == 0);
    for (int i = 0; i < 100; ++i) ring.push({});
    const std::size_t capacity = ring.capacity();
    for (int round = 0; round < 1000; ++round) {
        for (int i = 0; i < 50; ++i) (void)ring.pop();
        for (int i = 0; i < 50; ++i) ring.push({});
    }
    CHECK(ring.capacity() == capacity);
}

}  // namespace unit_executor_task_ring
