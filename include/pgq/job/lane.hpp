#pragma once

#include <string_view>

namespace pgq {

/// What tells a lane from the others of its queue. Payloads of one entrypoint that differ in shape have different versions;
/// without `serializer::versioned` it is empty.
struct lane_name {
    std::string_view entrypoint{};
    std::string_view version{};

    friend constexpr bool operator==(const lane_name&, const lane_name&) = default;
};

}  // namespace pgq
