#pragma once

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
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

/// Run the job again, `delay` from now or later. The attempt counts.
struct retry_after {
    duration delay{};
    std::string reason{};
};

/// Run the job again, `delay` from now or later. The attempt does not count, so the rest has a minimum: a job that is
/// always snoozed must not run without a pause. `snooze{}` rests for 1 s, other snoozes for at least 100 ms.
struct snooze {
    duration delay{};
};

/// Run the job again, at once and in any worker. The attempt does not count. For a handler that was asked to stop; from
/// another handler the job comes back after 1 s.
struct release {};

/// Delete the job. It never runs again.
struct discard {
    std::string reason{};
};

/// Hold the job as a dead letter. No worker claims it until a person or a program requeues it.
struct hold {
    std::string reason{};
};

/// What happens to a job after an attempt.
class [[nodiscard]] outcome {
public:
    enum class kind : std::uint8_t { done, retry, snooze, discard, hold, release };
    static constexpr std::size_t kinds = 6;

    outcome(done = {}) noexcept {}
    outcome(retry_after r) noexcept : kind_{kind::retry}, delay_{r.delay}, reason_{std::move(r.reason)} {}
    outcome(snooze s) noexcept : kind_{kind::snooze}, delay_{s.delay} {}
    outcome(release) noexcept : kind_{kind::release} {}
    outcome(discard d) noexcept : kind_{kind::discard}, reason_{std::move(d.reason)} {}
    outcome(hold h) noexcept : kind_{kind::hold}, reason_{std::move(h.reason)} {}

    kind what() const noexcept { return kind_; }
    duration delay() const noexcept { return delay_; }
    const std::string& reason() const& noexcept { return reason_; }
    std::string&& reason() && noexcept { return std::move(reason_); }

    /// The value that the handler returned, serialized. Only `done` has one, and only if the job type has a `result`.
    const std::optional<std::string>& result() const& noexcept { return result_; }
    std::optional<std::string>&& result() && noexcept { return std::move(result_); }
    void give_result(std::string written) noexcept { result_ = std::move(written); }

private:
    kind kind_ = kind::done;
    duration delay_{};
    std::string reason_{};
    std::optional<std::string> result_{};
};

/// The outcomes of a batch: one for each job, in the order of the jobs.
using outcomes = std::vector<outcome>;

/// The name of an outcome for logs and metrics. The names are stable.
constexpr std::string_view name_of(outcome::kind k) noexcept {
    constexpr std::string_view names[outcome::kinds] = {"done", "retry", "snooze", "discard", "hold", "release"};
    return names[static_cast<std::size_t>(k)];
}

namespace detail {

/// How long a snoozed job rests.
constexpr duration snooze_rest(duration asked) noexcept {
    using namespace std::chrono_literals;
    return asked <= duration::zero() ? duration{1s} : std::max(asked, duration{100ms});
}

}  // namespace detail

}  // namespace pgq
