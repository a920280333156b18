#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A limiter of one worker, of any type.
class any_limiter {
public:
    virtual ~any_limiter() = default;
    virtual admission admit(steady_time now) const noexcept = 0;
    virtual void began(std::uint32_t n, steady_time now) noexcept = 0;
    virtual void ended(std::uint32_t n, steady_time now) noexcept = 0;
};

template <class Limiter>
class kept_limiter final : public any_limiter {
public:
    explicit kept_limiter(Limiter l) : limiter_{std::move(l)} {}
    admission admit(steady_time now) const noexcept override { return limiter_.admit(now); }
    void began(std::uint32_t n, steady_time now) noexcept override { limiter_.began(n, now); }
    void ended(std::uint32_t n, steady_time now) noexcept override { limiter_.ended(n, now); }

private:
    Limiter limiter_;
};

/// The limiters of one run of a worker: the local ones, by job type and of the queue, and what they declare for all
/// workers.
struct limiter_set {
    std::vector<std::unique_ptr<any_limiter>> of_job{};  ///< null where a job type has none
    std::unique_ptr<any_limiter> of_queue{};
    std::vector<lane_limit> declared{};

    bool any() const noexcept {
        const auto is_set = [](const auto& l) { return l != nullptr; };
        return of_queue || !declared.empty() || std::any_of(of_job.begin(), of_job.end(), is_set);
    }
    template <class Limiter>
    void add(std::string_view entrypoint, const Limiter& l) {
        of_job.push_back(keep(l));
        declare(entrypoint, l);
    }
    template <class Limiter>
    void add_queue(const Limiter& l) {
        of_queue = keep(l);
        declare({}, l);
    }

private:
    template <class Limiter>
    static std::unique_ptr<any_limiter> keep(const Limiter& l) {
        if constexpr (can_admit<Limiter> && can_count<Limiter>) return std::make_unique<kept_limiter<Limiter>>(l);
        else return nullptr;
    }
    template <class Limiter>
    void declare(std::string_view entrypoint, const Limiter& l) {
        std::vector<limit_spec> specs;
        if constexpr (can_declare<Limiter>) l.declare(specs);
        for (const auto& s : specs) declared.push_back({std::string{entrypoint}, s});
    }
};

}  // namespace pgq::detail
