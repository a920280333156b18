#pragma once

#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/pause.hpp>

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::fsm {

/// What is paused or draining of a worker's entrypoints, as the worker has read it last.
class paused_scopes {
public:
    struct changes {
        std::vector<paused_scope> begun{};
        std::vector<paused_scope> ended{};

        /// Jobs may be claimed again that were not before.
        bool can_claim_more() const noexcept {
            return std::any_of(ended.begin(), ended.end(),
                               [](const paused_scope& p) { return p.kind == pause_kind::paused; });
        }
    };

    /// `found`: what is paused now, of any queue. The answer says what has changed for the entrypoints `mine` of
    /// `queue`.
    changes read(std::vector<paused_scope>&& found, std::string_view queue, std::span<const lane_name> mine) {
        std::erase_if(found, [&](const paused_scope& p) {
            return std::none_of(mine.begin(), mine.end(),
                                [&](const lane_name& n) { return p.covers(queue, n.entrypoint); });
        });
        found.swap(known_);
        return {.begun = missing(known_, found), .ended = missing(found, known_)};
    }

private:
    static std::vector<paused_scope> missing(const std::vector<paused_scope>& all,
                                             const std::vector<paused_scope>& in) {
        std::vector<paused_scope> out;
        for (const paused_scope& one : all)
            if (std::none_of(in.begin(), in.end(), [&](const paused_scope& p) { return p.same_scope(one); }))
                out.push_back(one);
        return out;
    }

    std::vector<paused_scope> known_{};
};

}  // namespace pgq::fsm
