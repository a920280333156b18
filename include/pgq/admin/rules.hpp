#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pgq::detail {

/// The members of pgq::admin about pauses, limits, schedules, routes and records. What each does is said at the member
/// of pgq::queue with that name.
template <class Admin>
class admin_rules {
public:
    /// No job of it starts until `resume`. An empty entrypoint: the whole queue. An empty queue: everything. False if
    /// it was so before; then only the reason changes.
    result<bool> pause(std::string_view queue, std::string_view entrypoint, std::string_view reason) {
        return set({queue, entrypoint, pause_kind::paused, reason});
    }
    /// No job of it is enqueued until `resume`.
    result<bool> drain(std::string_view queue, std::string_view entrypoint, std::string_view reason) {
        return set({queue, entrypoint, pause_kind::draining, reason});
    }
    /// Ends both for exactly this scope. False if there was neither.
    result<bool> resume(std::string_view queue, std::string_view entrypoint) {
        return with([&](auto& s) { return s.resume(queue, entrypoint); });
    }
    /// What is paused or draining of this queue, and of everything.
    result<std::vector<paused_scope>> paused(std::string_view queue = {}) {
        return with([&](auto& s) { return s.paused(queue); });
    }

    /// The limits of a queue for all workers together.
    result<std::vector<lane_limit>> limits(std::string_view queue) {
        return with([&](auto& s) { return s.limits(queue, {}); });
    }
    /// False if no such limit is stored.
    result<bool> change_limit(std::string_view queue, const lane_limit& limit) {
        return with([&](auto& s) { return s.change_limit(queue, limit); });
    }

    /// Of a queue; of all, if the name is empty.
    result<schedule_list> schedules(std::string_view queue) {
        return with([&](auto& s) { return s.schedules(queue, {}); });
    }
    result<schedule_change_reply> change_schedule(std::string_view queue, std::string_view name, schedule_change change,
                                                  std::string_view reason = {}) {
        return with([&](auto& s) { return s.change_schedule(queue, name, change, reason); });
    }
    /// Removes those that no program has declared for so long. Returns how many.
    result<std::int64_t> prune_schedules(std::string_view queue, duration unused_for) {
        return with([&](auto& s) { return s.prune_schedules(queue, unused_for); });
    }

    /// From now on, jobs of the lane that fail for good go to the lane `to`; without it they are held.
    result<void> set_dead_letters(lane_id lane, std::optional<lane_id> to) {
        const std::span<const lane_id> from{&lane, 1};
        const auto target = to ? std::span<const lane_id>{&*to, 1} : std::span<const lane_id>{};
        return with([&](auto& s) { return s.set_dead_letter_routes(from, target); });
    }
    /// For how long failed attempts of jobs of these lanes are kept.
    result<void> keep_failures(std::span<const lane_id> lanes, duration keep) {
        return with([&](auto& s) { return s.keep_failures(lanes, keep); });
    }
    /// Ends jobs that have expired, and deletes old records, at most some thousands of each. Workers do this all the
    /// time. It needs the rights of a worker.
    result<purge_reply> purge() {
        return with([&](auto& s) { return s.expire_and_purge(); });
    }
    /// What of the database makes jobs fail or wait without a message. None, if the driver cannot know.
    result<std::vector<database_problem>> problems() {
        return with([&](auto& s) -> result<std::vector<database_problem>> {
            if constexpr (requires { s.problems(); }) return s.problems();
            else return std::vector<database_problem>{};
        });
    }

protected:
    admin_rules() = default;

private:
    result<bool> set(const pause_request& what) {
        for (const auto text : {what.queue, what.entrypoint, what.reason})
            if (!is_storable_text(text))
                return error_info{errc::invalid_text, "a name or the reason has a zero byte or invalid UTF-8"};
        if (what.queue.empty() && !what.entrypoint.empty())
            return error_info{errc::invalid_option, "an entrypoint is paused in one queue", "name the queue"};
        return with([&](auto& s) { return s.pause(what); });
    }
    template <class Use>
    auto with(Use use) {
        return static_cast<Admin&>(*this).connection().with(use);
    }
};

}  // namespace pgq::detail
