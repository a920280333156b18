#pragma once

#include <pgq/detail/read_float.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/job/id.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace pgq {

/// A change of a running job by the worker that has its lease.
struct revision {
    worker_id worker{};
    std::int64_t lease = 0;  ///< lease_ref::id; the row is found wherever it is
    job_id job{};
    std::optional<std::string_view> body{};      ///< the new payload; nullopt keeps the old one
    std::optional<std::string_view> progress{};  ///< the new progress, as `packed` writes it; makes the job tracked
};

/// The progress of a running job that its handler reported last.
struct job_progress {
    double fraction = 0;  ///< 0 to 1
    std::string text{};
    friend bool operator==(const job_progress&, const job_progress&) = default;
};

namespace detail {

/// The text that is stored, e.g. "0.25 page 3 of 12". `fraction` must not be NaN.
inline std::string packed(double fraction, std::string_view text) {
    constexpr std::size_t max_text = 1024;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, std::clamp(fraction, 0.0, 1.0)).ptr;
    std::string out{digits, end};
    if (!text.empty()) out.append(1, ' ').append(make_storable(text, max_text));
    return out;
}
/// Reads a text that `packed` wrote. Returns nullopt for any other text.
inline std::optional<job_progress> unpacked(std::string_view stored) {
    job_progress p;
    const auto [end, wrong] = read_float(stored.data(), stored.data() + stored.size(), p.fraction);
    stored.remove_prefix(static_cast<std::size_t>(end - stored.data()));
    if (wrong != std::errc{} || !(stored.empty() || stored.front() == ' ')) return std::nullopt;
    if (!stored.empty()) p.text = stored.substr(1);
    return p;
}

}  // namespace detail
}  // namespace pgq
