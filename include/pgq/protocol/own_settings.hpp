#pragma once

#include <pgq/job/header.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/duration_text.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>

// The settings that one job has of its own. An enqueue stores them as headers of the job, so that they are wherever the
// job is, and a job without them costs nothing.
namespace pgq {

inline constexpr std::string_view max_attempts_header = "pgq-max-attempts";  ///< a whole number: "5"
inline constexpr std::string_view timeout_header = "pgq-timeout";            ///< a time with its unit: "30s"

/// In a claim and its leases: a rescue never holds a job for its attempts, whatever the job itself says.
inline constexpr std::int16_t unlimited_attempts = INT16_MAX;

namespace detail {

/// The number of attempts that the text names: 1 to 99999, without leading zeros; above 32767 counts as 32767. Nothing
/// if it is another text. The same rule is in statement/liveness.hpp.
inline std::optional<std::int16_t> read_max_attempts(std::string_view text) noexcept {
    std::int32_t number = 0;
    if (text.empty() || text.size() > 5 || text.front() < '1' || text.front() > '9') return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return static_cast<std::int16_t>(std::min<std::int32_t>(number, INT16_MAX));
}

/// What `read` makes of the header of this name; nothing if there is none.
template <class Headers, class Read>
auto read_header(const Headers& headers, std::string_view name, Read read) noexcept -> decltype(read(name)) {
    for (const auto& h : headers)
        if (h.name == name) return read(h.value);
    return std::nullopt;
}

}  // namespace detail

/// The attempts of a job with these headers. Without a header that can be read, `otherwise`.
template <class Headers>
std::int16_t max_attempts_of(const Headers& headers, std::int16_t otherwise) noexcept {
    return detail::read_header(headers, max_attempts_header, &detail::read_max_attempts).value_or(otherwise);
}

/// The same for a rescue: `leased` is what the lease of the job says.
template <class Headers>
std::int16_t rescued_attempts_of(const Headers& headers, std::int16_t leased) noexcept {
    return leased == unlimited_attempts ? leased : max_attempts_of(headers, leased);
}

/// What a claim says for jobs with so many attempts.
constexpr std::int16_t leased_attempts(std::int16_t max_attempts) noexcept {
    return std::min<std::int16_t>(max_attempts, unlimited_attempts - 1);
}

/// How long an attempt of a job with these headers may take. Nothing without a header that can be read, or with a time
/// of zero.
template <class Headers>
std::optional<duration> own_timeout_of(const Headers& headers) noexcept {
    const auto limit = detail::read_header(headers, timeout_header, &detail::read_duration);
    return limit > duration{} ? limit : std::nullopt;
}

}  // namespace pgq
