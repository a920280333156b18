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

/// What each question gets.
struct context {
    std::string dsn{};
    bool quick = false;
    report& out;
    meter& counters;
    int max_rounds = 5;  ///< fewer if a script runs the question several times

    /// How many jobs to run.
    std::int64_t jobs(std::int64_t full, std::int64_t when_quick) const noexcept { return quick ? when_quick : full; }
    int rounds() const noexcept { return quick ? std::min(3, max_rounds) : max_rounds; }
};

/// One side of a comparison: only `run()` is measured. It returns the number of jobs that it processed.
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

/// Warms both sides up, runs them in turn and adds the row to the report. One more round measures what pgq costs,
/// because the counters are complete only after the sessions have ended.
template <trial Ours, trial Ceiling>
void compare(context& c, row r, Ours ours, Ceiling ceiling) {
    (void)detail::rate_of(ours);
    (void)detail::rate_of(ceiling);
    for (int i = 0; i < c.rounds(); ++i) {
        r.ours.add(detail::rate_of(ours));
        r.ceiling.add(detail::rate_of(ceiling));
    }
    measure_cost(c, r, ours);
    c.out.add(r);
}

/// The same without a ceiling.
template <trial Ours>
void measure(context& c, row r, Ours ours) {
    (void)detail::rate_of(ours);
    for (int i = 0; i < c.rounds(); ++i) r.ours.add(detail::rate_of(ours));
    measure_cost(c, r, ours);
    c.out.add(r);
}

/// Runs one round and writes the cost of a job into the row.
template <trial Ours>
void measure_cost(context& c, row& r, Ours& ours) {
    c.counters.wait_for_sessions();
    ours.prepare();
    const auto before = c.counters.read();
    (void)meter::peak_mb();
    const auto n = ours.run();
    r.peak_mb = meter::peak_mb();
    c.counters.wait_for_sessions();
    r.price = meter::each(before, c.counters.read(), static_cast<double>(n));
    r.n = n;
}

}  // namespace bench
