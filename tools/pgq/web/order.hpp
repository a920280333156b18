#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/action.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// The bodies of POST requests as values. No I/O.
namespace pgq::web {

/// Held jobs, as failed_group has them.
struct held_group {
    lane_id lane{};
    std::string reason{};
};

/// An action on these jobs, on all that match a search, or on a group of held jobs.
struct act_order {
    job_action what = job_action::cancel;
    std::vector<job_id> ids{};
    std::optional<std::string> search{};
    std::optional<held_group> group{};
    std::string to_queue{};  ///< of a move
    std::string to_entrypoint{};
    bool preview = false;  ///< count, and change nothing
};

struct pause_order {
    std::string queue{};
    std::string entrypoint{};
    std::optional<pause_kind> kind{};  ///< empty: resume
    std::string reason{};
};

struct schedule_order {
    std::string queue{};
    std::string name{};
    schedule_change change = schedule_change::pause;
    std::string reason{};
};

/// What it does not name stays.
struct limit_order {
    std::string queue{};
    lane_limit of{};
    std::optional<std::int32_t> amount{};
    std::optional<std::int32_t> burst{};
    std::optional<duration> per{};
};

struct forget_order {
    worker_id worker{};
    bool forced = false;
};

/// Stops an action on all that match.
struct stop_order {
    std::int64_t operation = 0;
};

using order = std::variant<act_order, pause_order, schedule_order, limit_order, forget_order, stop_order>;

/// Whether there is such a path.
bool is_action_path(std::string_view path) noexcept;

/// errc::invalid_option, if the body is not what the path wants.
result<order> parse_order(std::string_view path, std::string_view body);

/// One line for the log: the action and what it is done to, without control characters.
std::string describe(const order& o);
/// A user for the audit line: in quotes, if the name could be taken for more fields.
std::string audit_name(const std::string& user);

}  // namespace pgq::web
