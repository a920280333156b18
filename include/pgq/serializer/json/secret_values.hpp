#pragma once

#include <cstdint>
#include <string_view>

namespace pgq::serializer {

/// What becomes of `sensitive` values in an output.
enum class secret_values : std::uint8_t {
    conceal,  ///< writing one fails
    reveal,   ///< they are written: the output is encrypted afterwards
    mask,     ///< `secret_mask` is written in their place: people read the output
};

inline constexpr std::string_view secret_mask = "***";

}  // namespace pgq::serializer
