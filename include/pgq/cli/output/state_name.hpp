#pragma once

#include <pgq/protocol/tracked.hpp>

#include <array>
#include <string_view>
#include <utility>

namespace pgq::cli {

/// The states of jobs as options and listings name them.
inline constexpr std::array<std::pair<job_state, std::string_view>, 6> state_names{{{job_state::ready, "ready"},
                                                                                    {job_state::deferred, "deferred"},
                                                                                    {job_state::blocked, "blocked"},
                                                                                    {job_state::leased, "leased"},
                                                                                    {job_state::held, "held"},
                                                                                    {job_state::ended, "ended"}}};

constexpr std::string_view state_name(job_state one) noexcept {
    for (const auto& [state, name] : state_names)
        if (state == one) return name;
    return "unknown";
}

}  // namespace pgq::cli
