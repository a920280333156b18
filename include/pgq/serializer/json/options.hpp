#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace pgq::serializer {

/// What happens if a payload lacks a member of the job type.
enum class if_missing : std::uint8_t {
    use_default,  ///< the member keeps the default of the job type
    fail,         ///< reading returns `errc::missing_member`, unless the member is a `std::optional`
};

/// What happens if a payload has a member that the job type does not have.
enum class if_unknown : std::uint8_t {
    ignore,  ///< the member is skipped, because a producer may be newer than the worker
    fail,    ///< reading returns `errc::unknown_member`
};

/// Settings of `basic_json`: `basic_json<json_options{.unknown = if_unknown::fail}>`.
struct json_options {
    if_missing missing = if_missing::use_default;
    if_unknown unknown = if_unknown::ignore;
    std::size_t max_depth = 32;  ///< nesting of arrays and objects, the outermost included; reading uses the stack
    std::size_t max_bytes = 16U << 20U;  ///< the limit of one payload
};

/// Tokens have 32-bit counters.
inline constexpr std::size_t max_json_bytes = std::numeric_limits<std::uint32_t>::max();

}  // namespace pgq::serializer
