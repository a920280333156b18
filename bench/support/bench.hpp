#pragma once

#include <support/meter.hpp>
#include <support/report.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <string>
#include <utility>

namespace bench {

using steady = std::chrono::steady_clock;

inline double seconds_since(steady::time_point t) { return std::chrono::duration<double>(steady::now() - t).count(); }

/// What a question is asked with.
struct context {
    std::string dsn{};
    bool quick = false;
    report& out;
    meter& counters;
    int most_rounds = 5;  ///< fewer for a question that a script asks several times

    /// `most` jobs, fewer when there is little time.
    std::int64_t jobs(std::int64_t most, std::int64_t when_quick) const noexcept { return quick ? when_quick : most; }
    int rounds() const noexcept { return quick ? std::min(3, most_rounds) : most_rounds; }
};

/// One side of a comparison: `prepare()` is not measured, `run()` is, and says how many jobs it has dealt with.
template <class T>
concept trial = requires(T& t) {
    t.prepare();
    { t.run() } -> std::convertible_to<std::int64_t>;
};

template <class Prepare, class Run>
struct trial_of {
    Prepare prepare;
    Run run;
};
template <class Prepare, class Run>
trial_of(Prepare, Run) -> trial_of<Prepare, Run>;

namespace detail {

template <trial T>
double rate_of(T& t) {
    t.prepare();
    const auto began = steady::now();
    const auto n = t.run();
    return static_cast<double>(n) / seconds_since(began);
}

}  // namespace detail

/// A warm-up of each, then rounds in turn, and the row of it. What ours costs is measured in one more round, because reading the
/// counters waits for the sessions to end.
template <trial Ours, trial Ceiling>
void compare(context& c, row r, Ours ours, Ceiling ceiling) {
    (void)detail::rate_of(ours);
    (void)detail::rate_of(ceiling);
    for (int i = 0; i < c.rounds(); ++i) {
        r.ours.add(detail::rate_of(ours));
        r.ceiling.add(detail::rate_of(ceiling));
    }
    weigh(c, r, ours);
    c.out.add(r);
}

/// The same with nothing to compare it with.
template <trial Ours>
void measure(context& c, row r, Ours ours) {
    (void)detail::rate_of(ours);
    for (int i = 0; i < c.rounds(); ++i) r.ours.add(detail::rate_of(ours));
    weigh(c, r, ours);
    c.out.add(r);
}

/// Fills in what a job costs.
template <trial Ours>
void weigh(context& c, row& r, Ours& ours) {
    c.counters.settle();
    ours.prepare();
    const auto before = c.counters.read();
    (void)meter::peak_mb();
    const auto n = ours.run();
    r.peak_mb = meter::peak_mb();
    c.counters.settle();
    r.price = meter::each(before, c.counters.read(), static_cast<double>(n));
    r.n = n;
}

}  // namespace bench
