#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <string_view>

namespace pgq {

/// Identifies a lane within its queue. Payloads of one entrypoint with different shapes have different versions.
/// Without `serializer::versioned` the version is empty.
struct lane_name {
    std::string_view entrypoint{};
    std::string_view version{};

    friend constexpr bool operator==(const lane_name&, const lane_name&) = default;
};

}  // namespace pgq
