#pragma once

#include <pgq/time/clock.hpp>

#include <string>
#include <string_view>

namespace pgq {

/// What an entrypoint, a queue or everything in the schema does not do.
enum class pause_kind : char {
    paused = 'p',    ///< no job of it starts
    draining = 'd',  ///< no job is enqueued; what is there runs
};

/// As the database stores it.
constexpr std::string_view name_of(pause_kind k) noexcept { return k == pause_kind::draining ? "draining" : "paused"; }

/// What to pause, or to drain. An empty entrypoint: the whole queue. An empty queue: everything in the schema.
struct pause_request {
    std::string_view queue{};
    std::string_view entrypoint{};
    pause_kind kind = pause_kind::paused;
    std::string_view reason{};
};

/// What is paused or draining.
struct paused_scope {
    std::string queue{};       ///< empty: everything in the schema
    std::string entrypoint{};  ///< empty: the whole queue
    pause_kind kind = pause_kind::paused;
    time_point since{};  ///< by the clock of the database
    std::string reason{};

    /// Whether it counts for this entrypoint of this queue.
    bool covers(std::string_view of_queue, std::string_view of_entrypoint) const noexcept {
        return queue.empty() || (queue == of_queue && (entrypoint.empty() || entrypoint == of_entrypoint));
    }
    /// Whether both are of the same kind, for the same jobs.
    bool same_scope(const paused_scope& o) const noexcept {
        return kind == o.kind && queue == o.queue && entrypoint == o.entrypoint;
    }
    friend bool operator==(const paused_scope&, const paused_scope&) = default;
};

}  // namespace pgq
