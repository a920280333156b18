#pragma once

#include <pgq/driver/memory/table/lane_table.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace pgq::driver::in_memory {

/// What is paused or draining.
class pause_table {
public:
    bool empty() const noexcept { return all_.empty(); }
    /// Null if nothing of this kind covers the lane.
    const paused_scope* find(pause_kind kind, const lane_key& lane) const {
        const auto found = std::find_if(all_.begin(), all_.end(), [&](const paused_scope& p) {
            return p.kind == kind && p.covers(lane.queue, lane.entrypoint);
        });
        return found == all_.end() ? nullptr : &*found;
    }
    /// False if it was so before: then only the reason changes.
    bool add(const pause_request& what, time_point now) {
        paused_scope made{std::string{what.queue}, std::string{what.entrypoint}, what.kind, now,
                          std::string{what.reason}};
        for (paused_scope& p : all_)
            if (p.same_scope(made)) return p.reason = made.reason, false;
        all_.push_back(std::move(made));
        std::sort(all_.begin(), all_.end(), [](const paused_scope& a, const paused_scope& b) {
            return std::tie(a.queue, a.entrypoint, a.kind) < std::tie(b.queue, b.entrypoint, b.kind);
        });
        return true;
    }
    bool remove(std::string_view queue, std::string_view entrypoint) {
        return std::erase_if(
                   all_, [&](const paused_scope& p) { return p.queue == queue && p.entrypoint == entrypoint; }) != 0;
    }
    std::vector<paused_scope> of(std::string_view queue) const {
        std::vector<paused_scope> found;
        for (const paused_scope& p : all_)
            if (p.queue.empty() || p.queue == queue) found.push_back(p);
        return found;
    }

private:
    std::vector<paused_scope> all_{};
};

inline error_info refusal(const paused_scope& p, const lane_key& lane) {
    return error_info{errc::draining,
                      "the entrypoint \"" + lane.entrypoint + "\" of the queue \"" + lane.queue +
                          "\" takes no new jobs: " + (p.reason.empty() ? std::string{"it is draining"} : p.reason),
                      "enqueue again when somebody has called resume(), or use another queue"};
}

}  // namespace pgq::driver::in_memory
