#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace pgq::fsm {

/// How many bytes of payloads the next claim may take, and whether it must count them. A look for large payloads costs
/// a claim of ten jobs a tenth of its time. So a worker that has seen none looks only each 100 ms: in that time nobody
/// can store so many that a claim of one batch would be too large.
class byte_budget {
public:
    /// `most`: of all held jobs together.
    explicit byte_budget(std::size_t most) noexcept : most_{most} {}

    bool is_used_up(std::size_t held) const noexcept { return held >= most_; }
    std::size_t left(std::size_t held) const noexcept { return most_ - std::min(held, most_); }

    /// Whether a claim of up to `limit` jobs must count bytes. The first job of a claim is taken whatever its size.
    bool must_count(std::uint32_t limit, std::size_t held, steady_time now) const noexcept {
        if (limit <= 1) return false;
        return !asked_at_ || now - *asked_at_ >= std::chrono::milliseconds{100} || left(held) / small < limit;
    }
    /// The answer to a claim that was sent at `sent_at`: whether there are large payloads; empty if it did not check.
    void answered(std::optional<bool> has_large, steady_time sent_at) noexcept {
        if (!has_large) return;
        if (*has_large) asked_at_.reset();
        else asked_at_ = sent_at;
    }

private:
    static constexpr std::size_t small = 2048;  // a payload that is not large has fewer bytes

    std::size_t most_;
    std::optional<steady_time> asked_at_{};  // empty while there may be large payloads
};

}  // namespace pgq::fsm
