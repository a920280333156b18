#include <pgq/protocol/histogram.hpp>
#include <pgq/statement/statistics.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace unit_statement_statistics {

using pgq::duration_histogram;
using pgq::statement::histogram_of;
using pgq::statement::histogram_text;

TEST_CASE("a histogram is a number with twelve digits for each bucket", "[statement][statistics]") {
    duration_histogram h;
    CHECK(histogram_text(h) == "0");
    h.counts[0] = 7;
    CHECK(histogram_text(h) == "7");
    h.counts[2] = 15;
    CHECK(histogram_text(h) == "15" + std::string(23, '0') + "7");
}

TEST_CASE("a histogram is read as it was written", "[statement][statistics]") {
    using namespace std::chrono_literals;
    duration_histogram h{.sum = 5us};
    CHECK(histogram_of("0", 5us) == h);
    for (std::size_t i = 0; i < duration_histogram::buckets; i += 3)
        h.counts[i] = i % 2 == 0 ? 999'999'999'999 : static_cast<std::int64_t>(i);
    CHECK(histogram_of(histogram_text(h), 5us) == h);
    h.counts[31] = 1;
    CHECK(histogram_of(histogram_text(h), 5us) == h);
    CHECK(histogram_of("", 5us) == duration_histogram{.sum = 5us});
}

}  // namespace unit_statement_statistics
