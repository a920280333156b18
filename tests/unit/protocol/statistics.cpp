#include <pgq/protocol/histogram.hpp>
#include <pgq/protocol/statistics.hpp>

#include <support/catch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace unit_protocol_statistics {

using namespace std::chrono_literals;
using pgq::capped_count;
using pgq::duration;
using pgq::duration_histogram;
using pgq::job_statistics;

TEST_CASE("each time is in the bucket between its bounds", "[protocol][histogram]") {
    for (std::size_t i = 0; i < duration_histogram::buckets; ++i) {
        CAPTURE(i);
        const duration below = i == 0 ? duration{} : duration_histogram::upper_bound(i - 1);
        CHECK(duration_histogram::bucket_of(std::chrono::ceil<std::chrono::microseconds>(below)) == i);
        if (i + 1 == duration_histogram::buckets) break;
        CHECK(duration_histogram::bucket_of(duration_histogram::upper_bound(i) - 1us) == i);
    }
    CHECK(duration_histogram::upper_bound(4) == 1ms);
    CHECK(duration_histogram::bucket_of(-1h) == 0);
    CHECK(duration_histogram::bucket_of(duration::max()) == 31);
}

TEST_CASE("a percentile is in the bucket that has it, and off by less than a factor of two", "[protocol][histogram]") {
    duration_histogram h;
    CHECK_FALSE(h.percentile(0.5));
    CHECK_FALSE(h.mean());
    for (int ms = 1; ms <= 1000; ++ms) h.add(std::chrono::milliseconds{ms});
    CHECK(h.total() == 1000);
    CHECK(*h.mean() == 500'500us);
    for (const double q : {0.01, 0.25, 0.5, 0.9, 0.99, 1.0}) {
        CAPTURE(q);
        const double exact = q * 1000, found = static_cast<double>(h.percentile(q)->count()) / 1e6;
        CHECK(found > exact / 2);
        CHECK(found < exact * 2);
    }
    CHECK(*h.percentile(0) >= 1ms / 2);
    CHECK(*h.percentile(0.2) <= *h.percentile(0.3));
    duration_histogram one;
    one.add(1000h, 5);
    CHECK(*one.percentile(0.5) == 67'108'864ms);  // the lower bound of the last bucket
    CHECK(one.sum == 5000h);
}

TEST_CASE("histograms and statistics add up", "[protocol][histogram]") {
    job_statistics a{.enqueued = 1, .done = 2, .retried = 3, .held = 4, .discarded = 5, .cancelled = 6, .expired = 7};
    a.wait.add(1ms, 2);
    a.run.add(1s);
    job_statistics sum = a;
    sum += a;
    CHECK(sum.enqueued == 2);
    CHECK(sum.finished() == 2 * (2 + 4 + 5 + 6 + 7));
    CHECK(sum.wait.total() == 4);
    CHECK(sum.wait.sum == 4ms);
    CHECK(sum.run.total() == 2);
    sum += {};
    CHECK(sum.retried == 6);
}

TEST_CASE("a capped count says that it is one", "[protocol][capped_count]") {
    CHECK(capped_count::of(3, 10).text() == "3");
    CHECK(capped_count::of(10'000, 10'000).text() == "10 000");
    CHECK(capped_count::of(10'001, 10'000).text() == "10 000+");
    CHECK(capped_count{1'234'567, false}.text() == "1 234 567");
    CHECK(capped_count{0, true}.text() == "0+");
    auto sum = capped_count::of(999, 1000);
    sum += capped_count::of(5000, 1000);
    CHECK(sum == capped_count{1999, true});
    CHECK(pgq::bound_of_counts(0) == 10'000);
    CHECK(pgq::bound_of_counts(5) == 10'000);
    CHECK(pgq::bound_of_counts(10) == 5'000);
    CHECK(pgq::bound_of_counts(1'000'000) == 50);
}

}  // namespace unit_protocol_statistics
