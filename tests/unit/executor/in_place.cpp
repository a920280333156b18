#include <pgq/executor/in_place.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <thread>
#include <vector>

namespace unit_executor_in_place {

TEST_CASE("executor::in_place runs a task in the same thread and in order before execute returns",
          "[executor][in_place]") {
    struct run {
        std::thread::id thread;
        std::uint32_t position;
    };
    std::vector<run> runs;
    const auto note = [](void* owner, void*, std::uint32_t position) noexcept {
        static_cast<std::vector<run>*>(owner)->push_back({std::this_thread::get_id(), position});
    };
    pgq::executor::in_place e;
    e.start();
    for (std::uint32_t i = 0; i < 3; ++i) {
        e.execute({.function = note, .owner = &runs, .position = i});
        REQUIRE(runs.size() == i + 1);
        CHECK(runs.back().thread == std::this_thread::get_id());
        CHECK(runs.back().position == i);
    }
    e.stop();
    STATIC_REQUIRE(pgq::executor::in_place::width() == 1);
}

}  // namespace unit_executor_in_place
