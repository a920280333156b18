#pragma once

#include <pgq/cron/zone.hpp>

#include <chrono>
#include <concepts>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace pgq::cron {

/// Any time zone in one type. Made of nothing it is UTC.
class any_zone {
public:
    any_zone() = default;
    template <zone Z>
        requires(!std::same_as<Z, any_zone>)
    any_zone(Z z)  // NOLINT(google-explicit-constructor): each zone is one
        : period_at_{[z = std::move(z)](std::chrono::sys_seconds t) { return z.period_at(t); }} {}

    offset_period period_at(std::chrono::sys_seconds t) const { return period_at_ ? period_at_(t) : offset_period{}; }

private:
    std::function<offset_period(std::chrono::sys_seconds)> period_at_{};
};

static_assert(zone<any_zone>);

/// The zones that need no database: `UTC`, and offsets such as `+05:45` and `-03:00`. Empty for another text.
inline std::optional<any_zone> find_offset(std::string_view text) {
    const auto offset = read_offset(text);
    return offset ? std::optional<any_zone>{fixed_offset{*offset}} : std::nullopt;
}

}  // namespace pgq::cron
