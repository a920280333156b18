#include <pgq/observer/all_of.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/observer/log.hpp>
#include <pgq/testing/laws/observer.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string_view>

namespace laws_observer {

using namespace pgq;

TEST_CASE("observer::counters keeps the observer laws", "[observer][laws]") {
    laws::check_observer<observer::counters>([] { return observer::counters{}; });
}

TEST_CASE("observer::log keeps the observer laws with each kind of sink", "[observer][laws]") {
    constexpr observer::log_options all{.least = observer::log_level::debug};
    SECTION("a stream") {
        std::ostringstream out;
        using log = observer::log<observer::to_stream>;
        laws::check_observer<log>([&] { return log{out, all}; });
        CHECK(out.str().find("level=") == 0);
    }
    SECTION("a sink that takes lines") {
        std::size_t bytes = 0;
        auto sink = [&bytes](std::string_view line) { bytes += line.size(); };
        laws::check_observer<observer::log<decltype(sink)>>([&] { return observer::log{sink, all}; });
        CHECK(bytes > 0);
    }
    SECTION("a sink that takes records") {
        std::size_t fields = 0;
        auto sink = [&fields](const observer::log_record& r) { fields += r.fields.size(); };
        laws::check_observer<observer::log<decltype(sink)>>([&] { return observer::log{sink, all}; });
        CHECK(fields > 0);
    }
    SECTION("a sink that throws") {
        auto sink = [](std::string_view) { throw std::runtime_error{"disk full"}; };
        laws::check_observer<observer::log<decltype(sink)>>([&] { return observer::log{sink, all}; });
    }
}

TEST_CASE("observer::all_of keeps the observer laws if its parts do", "[observer][laws]") {
    auto quiet = [](std::string_view) {};
    using both = observer::all_of<observer::counters, observer::log<decltype(quiet)>>;
    laws::check_observer<both>([&] { return both{observer::counters{}, observer::log{quiet}}; });
}

}  // namespace laws_observer
