#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/driver/memory/table/waiting_jobs.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/lane_search.hpp>

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::in_memory {

/// What identifies a lane.
struct lane_key {
    std::string queue{}, entrypoint{}, version{};
    friend auto operator<=>(const lane_key&, const lane_key&) = default;
};

/// The lanes by name and by id. Ids count from 1.
class lane_table {
public:
    static result<void> check_name(std::string_view name) {
        if (name.empty() || name.size() > max_name_bytes) return errc::invalid_name;
        if (!pgq::detail::is_storable_text(name)) return errc::invalid_text;
        return {};
    }

    /// The id of the lane. A new lane is also added to `waiting`.
    lane_id find_or_add(const lane_key& key, waiting_jobs& waiting) {
        auto [at, inserted] = ids_.try_emplace(key);
        if (inserted) {
            at->second = waiting.add_lane();
            keys_.push_back(key);
        }
        return at->second;
    }
    const lane_key& key(lane_id lane) const { return keys_[static_cast<std::size_t>(lane.value) - 1]; }
    /// The lanes of all versions of an entrypoint. An empty `entrypoint` means all lanes of the queue, an empty `queue`
    /// all lanes.
    std::vector<lane_id> find(std::string_view queue, std::string_view entrypoint) const {
        std::vector<lane_id> out;
        for (std::size_t i = 0; i < keys_.size(); ++i)
            if ((queue.empty() || keys_[i].queue == queue) && (entrypoint.empty() || keys_[i].entrypoint == entrypoint))
                out.push_back({static_cast<std::int32_t>(i + 1)});
        return out;
    }

    std::size_t size() const noexcept { return keys_.size(); }
    /// Which of the lanes that a worker serves this lane is; nothing if it is none of them.
    std::optional<std::size_t> number_in(const served_queues& served, lane_id lane) const {
        const lane_key& k = key(lane);
        if (!k.queue.starts_with(served.prefix)) return std::nullopt;
        if (!served.names.empty() && !std::binary_search(served.names.begin(), served.names.end(), k.queue))
            return std::nullopt;
        const lane_name name{k.entrypoint, k.version};
        const auto at = std::find(served.lanes.begin(), served.lanes.end(), name);
        if (at == served.lanes.end()) return std::nullopt;
        return static_cast<std::size_t>(at - served.lanes.begin());
    }

private:
    std::map<lane_key, lane_id> ids_{};
    std::vector<lane_key> keys_{};
};

}  // namespace pgq::driver::in_memory
