#pragma once

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

/// What a worker changes about a job that it holds and has not ended.
struct revision {
    worker_id worker{};
    std::int64_t lease = 0;  ///< its id; wherever its row lies by now
    job_id job{};
    std::optional<std::string_view> body{};  ///< the payload from now on
    std::optional<std::string_view>
        progress{};  ///< how far it is, as `packed` writes it; the job is tracked from then on
};

/// How far a running job is, as its handler has said last.
struct job_progress {
    double fraction = 0;  ///< 0 to 1
    std::string text{};
    friend bool operator==(const job_progress&, const job_progress&) = default;
};

namespace detail {

/// As it is stored, readable for people: "0.25 page 3 of 12". `fraction` is a number.
inline std::string packed(double fraction, std::string_view text) {
    constexpr std::size_t max_text = 1024;
    char digits[32];
    const auto end = std::to_chars(digits, digits + sizeof digits, std::clamp(fraction, 0.0, 1.0)).ptr;
    std::string out{digits, end};
    if (!text.empty()) out.append(1, ' ').append(make_storable(text, max_text));
    return out;
}
/// Nothing for what `packed` has not written.
inline std::optional<job_progress> unpacked(std::string_view stored) {
    job_progress p;
    const auto [end, wrong] = std::from_chars(stored.data(), stored.data() + stored.size(), p.fraction);
    stored.remove_prefix(static_cast<std::size_t>(end - stored.data()));
    if (wrong != std::errc{} || !(stored.empty() || stored.front() == ' ')) return std::nullopt;
    if (!stored.empty()) p.text = stored.substr(1);
    return p;
}

}  // namespace detail
}  // namespace pgq
