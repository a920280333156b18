#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace pgq::serializer {

/// What a payload means that lacks a member of the job type.
enum class if_missing : std::uint8_t {
    use_default,  ///< the member keeps the default of the job type
    fail,         ///< `errc::missing_member`, except for a `std::optional`
};

/// What a payload means that has a member which the job type does not know.
enum class if_unknown : std::uint8_t {
    ignore,  ///< it is skipped: producers may be newer than workers
    fail,    ///< `errc::unknown_member`
};

/// Settings of `basic_json`: `basic_json<json_options{.unknown = if_unknown::fail}>`.
struct json_options {
    if_missing missing = if_missing::use_default;
    if_unknown unknown = if_unknown::ignore;
    std::size_t max_depth = 32;  ///< arrays and objects inside each other, the outermost counts; reading uses stack
    std::size_t max_bytes = 16U << 20U;  ///< of one payload
};

/// Tokens count in 32 bits.
inline constexpr std::size_t max_json_bytes = std::numeric_limits<std::uint32_t>::max();

}  // namespace pgq::serializer
