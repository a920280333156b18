#pragma once

#include <pgq/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// The job is finished and leaves the queue.
struct done {};

/// Run it again no earlier than `delay` from now; the attempt counts.
struct retry_after {
    duration delay{};
    std::string reason{};
};

/// Run it again no earlier than `delay` from now; the attempt does not count.
struct snooze {
    duration delay{};
};

/// Drop the job; it will never run again and is not kept.
struct discard {
    std::string reason{};
};

/// Keep the job, visibly and unclaimable, until a person or program requeues it.
struct hold {
    std::string reason{};
};

/// What becomes of a job after an attempt.
class [[nodiscard]] outcome {
public:
    enum class kind : std::uint8_t { done, retry, snooze, discard, hold };
    static constexpr std::size_t kinds = 5;

    outcome(done = {}) noexcept {}
    outcome(retry_after r) noexcept : kind_{kind::retry}, delay_{r.delay}, reason_{std::move(r.reason)} {}
    outcome(snooze s) noexcept : kind_{kind::snooze}, delay_{s.delay} {}
    outcome(discard d) noexcept : kind_{kind::discard}, reason_{std::move(d.reason)} {}
    outcome(hold h) noexcept : kind_{kind::hold}, reason_{std::move(h.reason)} {}

    kind what() const noexcept { return kind_; }
    duration delay() const noexcept { return delay_; }
    const std::string& reason() const& noexcept { return reason_; }
    std::string&& reason() && noexcept { return std::move(reason_); }

    /// What the handler returned, as the job's serializer wrote it; of `done` alone, and only when the job's type has a result.
    const std::optional<std::string>& result() const& noexcept { return result_; }
    std::optional<std::string>&& result() && noexcept { return std::move(result_); }
    void give_result(std::string written) noexcept { result_ = std::move(written); }

private:
    kind kind_ = kind::done;
    duration delay_{};
    std::string reason_{};
    std::optional<std::string> result_{};
};

/// What becomes of the jobs of a batch, one for each and in their order.
using outcomes = std::vector<outcome>;

/// For people and metrics; stable.
constexpr std::string_view name_of(outcome::kind k) noexcept {
    constexpr std::string_view names[outcome::kinds] = {"done", "retry", "snooze", "discard", "hold"};
    return names[static_cast<std::size_t>(k)];
}

}  // namespace pgq
