#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/traits.hpp>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::in_memory {

struct full_name {
    std::string queue{}, entrypoint{}, version{};
    friend auto operator<=>(const full_name&, const full_name&) = default;
};

/// The names of the lanes, whose numbers count from 1.
class lane_book {
public:
    static result<void> check_name(std::string_view name) {
        if (name.empty() || name.size() > max_name_bytes) return errc::invalid_name;
        if (!pgq::detail::is_storable_text(name)) return errc::invalid_text;
        return {};
    }

    /// A new one gets a place in `waiting`.
    lane_id number(const full_name& name, stock& waiting) {
        auto [at, fresh] = numbers_.try_emplace(name);
        if (fresh) {
            at->second = waiting.add_lane();
            names_.push_back(name);
        }
        return at->second;
    }
    const full_name& name(lane_id lane) const { return names_[static_cast<std::size_t>(lane.value) - 1]; }
    /// Of all versions; without an entrypoint, of all of the queue.
    std::vector<lane_id> of(std::string_view queue, std::string_view entrypoint) const {
        std::vector<lane_id> out;
        for (std::size_t i = 0; i < names_.size(); ++i)
            if (names_[i].queue == queue && (entrypoint.empty() || names_[i].entrypoint == entrypoint))
                out.push_back({static_cast<std::int32_t>(i + 1)});
        return out;
    }

private:
    std::map<full_name, lane_id> numbers_{};
    std::vector<full_name> names_{};
};

}  // namespace pgq::driver::in_memory
