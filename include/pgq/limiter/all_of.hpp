#pragma once

#include <pgq/concept/limiter.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace pgq::limiter {

/// Several limiters that all apply: `all_of<global_concurrency<3>, rate<50>>`. At most one of them may limit by a key.
template <limiter_policy... Limiters>
class all_of {
    static constexpr int keyed_count = (0 + ... + (keyed_limiter<Limiters> ? 1 : 0));
    // The first mistake of a part, or that two parts have keys.
    static constexpr auto find_mistake = [] {
        limiter_error found = limiter_error::none;
        const auto look = [&](limiter_error m) { found = found == limiter_error::none ? m : found; };
        (look(mistake_of<Limiters>), ...);
        look(keyed_count > 1 ? limiter_error::two_keys : limiter_error::none);
        return found;
    };

public:
    using policy_category = limiter_tag;
    static constexpr limiter_error mistake = find_mistake();
    static constexpr bool is_keyed = keyed_count != 0;
    static constexpr bool counts_running = (pgq::counts_running<Limiters> || ...);

    all_of() = default;
    explicit all_of(Limiters... limiters) requires(sizeof...(Limiters) != 0) : limiters_{std::move(limiters)...} {}

    admission admit(steady_time now) const noexcept {
        admission sum;
        for_each([&](const auto& l) {
            if constexpr (can_admit<decltype(l)>) tighten(sum, l.admit(now));
        });
        return sum;
    }
    void began(std::uint32_t n, steady_time now) noexcept {
        for_each([&](auto& l) {
            if constexpr (can_count<decltype(l)>) l.began(n, now);
        });
    }
    void ended(std::uint32_t n, steady_time now) noexcept {
        for_each([&](auto& l) {
            if constexpr (can_count<decltype(l)>) l.ended(n, now);
        });
    }

    /// Numbers the limits of one kind in the order of the template arguments.
    void declare(std::vector<limit_spec>& out) const {
        const std::size_t first = out.size();
        for_each([&](const auto& l) {
            if constexpr (can_declare<decltype(l)>) l.declare(out);
        });
        for (std::size_t i = first; i < out.size(); ++i)
            out[i].number = static_cast<std::int16_t>(std::count_if(
                out.begin() + static_cast<std::ptrdiff_t>(first), out.begin() + static_cast<std::ptrdiff_t>(i),
                [&](const limit_spec& s) { return s.kind == out[i].kind; }));
    }

    template <class Job>
        requires(can_key<Limiters, Job> || ...)
    void key(const Job& job, std::string& out) const {
        for_each([&](const auto& l) {
            if constexpr (can_key<decltype(l), Job>) l.key(job, out);
        });
    }

private:
    // The limiter that admits the fewest jobs decides when to ask again.
    static void tighten(admission& sum, const admission& one) noexcept {
        if (one.most == sum.most) sum.again = std::max(sum.again, one.again);
        else if (one.most < sum.most) sum = one;
    }
    template <class F>
    void for_each(F f) const {
        std::apply([&](const auto&... l) { (f(l), ...); }, limiters_);
    }
    template <class F>
    void for_each(F f) {
        std::apply([&](auto&... l) { (f(l), ...); }, limiters_);
    }

    std::tuple<Limiters...> limiters_{};
};

}  // namespace pgq::limiter
