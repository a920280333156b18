#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgq {

/// Stores many jobs of one lane as a stream, all or none; a session may have it. `put` adds a job with its payload, its
/// priority, and its key of a limit by key. The jobs exist when `finish` returns their number. A stream that is
/// destroyed before stores none. The session can do nothing else meanwhile.
template <class S>
concept can_copy = requires(S& s, lane_id lane, std::string_view body, std::int16_t priority,
                            std::optional<std::string_view> key) {
    { s.copy(lane).put(body, priority, key) } -> std::same_as<result<void>>;
    { s.copy(lane).finish() } -> std::same_as<result<std::int64_t>>;
};

}  // namespace pgq
