#pragma once

#include "schedule.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace simulated {

inline bool fails(const plan& p) { return !schedule{p}.run().empty(); }

/// Leaves out of a plan that fails whatever it does not need to fail.
inline plan smallest(plan p) {
    const auto try_without = [&](auto change) {
        plan less = p;
        change(less);
        if (!fails(less)) return false;
        p = less;
        return true;
    };
    (void)try_without([](plan& l) { l.rates = {}; });
    (void)try_without([](plan& l) { l.pauses.clear(); });
    for (std::size_t i = p.troubles.size(); i-- > 0;)
        (void)try_without([&](plan& l) { l.troubles.erase(l.troubles.begin() + static_cast<std::ptrdiff_t>(i)); });
    for (std::size_t i = p.jobs.size(); i-- > 0;)
        (void)try_without([&](plan& l) { l.jobs.erase(l.jobs.begin() + static_cast<std::ptrdiff_t>(i)); });
    while (p.workers > 1 && try_without([](plan& l) {
               --l.workers;
               for (auto& t : l.troubles) t.who = std::min(t.who, l.workers - 1);
           })) {}
    return p;
}

/// The seed, what was violated, and everything that happened in the smallest plan that fails.
inline std::string story_of(std::uint64_t seed) {
    const plan p = smallest(plan{seed});
    schedule s{p, true};
    (void)s.run();
    std::string text = "seed " + std::to_string(seed) + ", of its plan " + std::to_string(p.workers) + " workers, " +
                       std::to_string(p.jobs.size()) + " jobs and " + std::to_string(p.troubles.size()) +
                       " troubles are left:\n";
    for (const auto& line : s.world().trace()) text += "    " + line + '\n';
    return text;
}

struct exploration {
    std::vector<std::uint64_t> failed{};  ///< seeds, in ascending order
    std::uint64_t steps = 0;
};

/// Runs the plans of these seeds on all processors. Stops after the first ten that fail.
inline exploration explore(std::uint64_t first, std::uint64_t count) {
    exploration all;
    std::mutex mutex;
    std::atomic<std::uint64_t> next{first};
    std::atomic<bool> enough{false};
    std::vector<std::thread> threads;
    for (unsigned i = std::max(1u, std::thread::hardware_concurrency()); i-- > 0;)
        threads.emplace_back([&] {
            std::uint64_t steps = 0;
            for (auto seed = next++; seed < first + count && !enough; seed = next++) {
                schedule s{plan{seed}};
                const bool failed = !s.run().empty();
                steps += s.world().steps();
                if (!failed) continue;
                const std::lock_guard lock{mutex};
                all.failed.push_back(seed);
                enough = all.failed.size() >= 10;
            }
            const std::lock_guard lock{mutex};
            all.steps += steps;
        });
    for (auto& t : threads) t.join();
    std::sort(all.failed.begin(), all.failed.end());
    return all;
}

}  // namespace simulated
