#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>

namespace pgq {

/// How many times of a kind were how long. The first bucket counts times below 1/16 ms, each further one times below
/// twice the bound before it, up to 2^26 ms (19 h); the last bucket counts all longer ones. The buckets never change,
/// so histograms of any programs and minutes can be added.
struct duration_histogram {
    static constexpr std::size_t buckets = 32;

    std::array<std::int64_t, buckets> counts{};
    std::chrono::microseconds sum{};  ///< of all times

    static constexpr std::size_t bucket_of(duration d) noexcept {
        const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
        if (micros <= 0) return 0;
        const auto sixteenths = static_cast<std::uint64_t>(micros) * 2 / 125;  // of a millisecond
        return std::min(static_cast<std::size_t>(std::bit_width(sixteenths)), buckets - 1);
    }
    /// The times in the bucket are shorter. duration::max() for the last one.
    static constexpr duration upper_bound(std::size_t bucket) noexcept {
        if (bucket + 1 >= buckets) return duration::max();
        return std::chrono::nanoseconds{std::int64_t{62'500} << bucket};
    }

    constexpr void add(duration d, std::int64_t times = 1) noexcept {
        counts[bucket_of(d)] += times;
        sum += std::chrono::duration_cast<std::chrono::microseconds>(d) * times;
    }
    constexpr duration_histogram& operator+=(const duration_histogram& o) noexcept {
        for (std::size_t i = 0; i < buckets; ++i) counts[i] += o.counts[i];
        sum += o.sum;
        return *this;
    }
    constexpr std::int64_t total() const noexcept {
        return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    }
    std::optional<duration> mean() const noexcept {
        const auto n = total();
        return n == 0 ? std::nullopt : std::optional<duration>{sum / n};
    }
    /// The time that the part `q` (0 to 1) of all times does not exceed: `percentile(0.99)`. Empty without times. The
    /// bucket is exact, and the place in it is interpolated: the answer is off by less than a factor of two. In the
    /// last bucket the answer is its lower bound, 19 h.
    std::optional<duration> percentile(double q) const noexcept {
        const auto n = total();
        if (n == 0) return std::nullopt;
        const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(n);
        double before = 0;
        std::size_t i = 0;
        for (; i + 1 < buckets; ++i) {
            const auto here = static_cast<double>(counts[i]);
            if (here > 0 && before + here >= rank) break;
            before += here;
        }
        const duration low = i == 0 ? duration{} : upper_bound(i - 1);
        if (i + 1 == buckets) return low;
        const double part = std::clamp((rank - before) / static_cast<double>(counts[i]), 0.0, 1.0);
        const auto width = static_cast<double>((upper_bound(i) - low).count());
        return low + duration{static_cast<duration::rep>(part * width)};
    }

    friend constexpr bool operator==(const duration_histogram&, const duration_histogram&) = default;
};

}  // namespace pgq
