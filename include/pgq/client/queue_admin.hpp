#pragma once

#include <pgq/client/client_connection.hpp>
#include <pgq/client/job_handle.hpp>
#include <pgq/client/retry_while_full.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// The lanes of one job type, of all lanes of its queue.
template <class Composition, class Job>
std::vector<lane_id> lanes_for(const std::vector<lane_id>& all) {
    std::vector<lane_id> mine;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (Composition::lanes[i].job == Composition::template index_of<Job>) mine.push_back(all[i]);
    return mine;
}

/// Reads the payload of a job that was found. An error if it is a job of another type or of another queue.
template <class Composition, class Job>
result<found<Job>> read_found(found_job job, std::string_view queue, const std::vector<lane_id>& lanes) {
    if (job.queue != queue || job.entrypoint != entrypoint_of<Job>)
        return error_info{errc::invalid_option,
                          "the job is of the entrypoint \"" + job.entrypoint + "\" of the queue \"" + job.queue + "\"",
                          "find it by its id alone, or by its own type"};
    found<Job> out{std::move(job)};
    if (out.state == job_state::ended) return out;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        if (lanes[i] != out.lane) continue;
        auto done = read_job<Composition>(out.body, Composition::lanes[i].version, out.payload.emplace());
        if (done) return out;
        out.payload.reset();
        out.payload_error = std::move(done.error());
        return out;
    }
    out.payload_error = error_info{errc::invalid_payload,
                                   "this program does not know the version \"" + out.version + "\" of the payload"};
    return out;
}

/// The members of pgq::queue that look after jobs: progress, cancel, find, hold, requeue, count, limits, pause, drain.
/// Each call is one short transaction, except where its comment says otherwise. Any thread may call them.
template <class Queue, class Composition>
class queue_admin {
public:
    /// What the job's handler last reported by `context::progress`. Empty if it has reported nothing, or if the job has
    /// ended or is held.
    result<std::optional<job_progress>> progress(job_id id) { return progress_through(connection(), id); }

    /// Removes jobs that are ready, deferred, blocked or held, all in one step. The stop tokens of running jobs fire
    /// within a second, in whichever process they run. A running job that still ends as done counts as done; a job that
    /// fails or would run again ends as cancelled. Until a running job ends, it keeps its unique key and counts in
    /// every limit.
    result<cancel_reply> cancel(std::span<const job_id> ids) { return connection().cancel(ids); }
    result<cancel_reply> cancel(job_id id) { return cancel({&id, 1}); }

    /// Where a job of this type is: its state and who has it, its payload, attempts, reason, headers and times. Empty
    /// if nothing is known of the id: the job has ended and its end is not kept, or it never existed. For people and
    /// for programs that inspect jobs: about a millisecond, but see docs/design/storage.md.
    ///
    /// errc::invalid_option if it is a job of another type or queue; the message names both. A payload that cannot be
    /// read is no error of the call: see found::payload_error.
    template <class Job>
    result<std::optional<found<Job>>> find_one(job_id id) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) -> result<std::optional<found<Job>>> {
                auto job = session.find_one(id);
                if (!job) return std::move(job.error());
                if (!*job) return std::optional<found<Job>>{};
                auto read = read_found<Composition, Job>(std::move(**job), connection().name(), lanes);
                if (!read) return std::move(read.error());
                return std::optional{std::move(*read)};
            });
    }
    /// The same for a job of any type and any queue of this schema. Its payload stays bytes.
    result<std::optional<found_job>> find_one(job_id id) {
        return connection().with([&](auto& session, auto&) { return session.find_one(id); });
    }

    /// The ids, in ascending order, of the jobs of one type that pass the filter and are in one of the states `where`.
    /// It scans all jobs of the type: use it for administration, not for each job.
    template <class Job>
    result<std::vector<job_id>> find_all(const filter& which = {}, job_state where = any_state,
                                         std::int64_t limit = INT64_MAX) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) -> result<std::vector<job_id>> {
                std::vector<job_id> found;
                const auto mine = lanes_for<Composition, Job>(lanes);
                if (auto done = session.find({mine, where, &which, limit}, found); !done) return done.error();
                return found;
            });
    }
    /// Cancels all jobs that `find_all` finds now, in a second transaction.
    template <class Job>
    result<cancel_reply> cancel_all(const filter& which = {}, job_state where = any_state) {
        auto found = find_all<Job>(which, where);
        if (!found) return std::move(found.error());
        return cancel(*found);
    }
    /// Requeues all held jobs that `find_all` finds now, in a second transaction. The answer is their number.
    template <class Job>
    result<std::int64_t> requeue_all(const filter& which = {}) {
        auto found = find_all<Job>(which, job_state::held);
        if (!found) return std::move(found.error());
        return requeue(*found);
    }
    /// The failed attempts of a job, oldest first. They are kept for some days, also after the job has ended.
    result<std::vector<failed_attempt>> failures(job_id id) {
        return connection().with([&](auto& session, auto&) { return session.failures(id); });
    }

    /// From now on, jobs of this type that would be held go to the queue `queue_name`, whichever program fails them. A
    /// worker of the same queue type can run them there. Such a job keeps its id, payload and priority. Its attempts
    /// start over, and its headers pgq-died-in, pgq-died-of and pgq-attempts tell the queue, the reason and the
    /// attempts before. With an empty name, jobs are held again.
    template <class Job>
    result<void> dead_letters(std::string_view queue_name) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) -> result<void> {
                const auto mine = lanes_for<Composition, Job>(lanes);
                if (queue_name.empty()) return session.set_dead_letter_routes(mine, {});
                if (queue_name == connection().name())
                    return error_info{errc::invalid_option, "a queue cannot be its own dead letters",
                                      "name another queue"};
                std::vector<lane_name> names;
                for (std::size_t i = 0; i < lanes.size(); ++i)
                    if (Composition::lanes[i].job == Composition::template index_of<Job>)
                        names.push_back(Composition::lanes[i].name);
                auto theirs = session.lanes(queue_name, names);
                if (!theirs) return std::move(theirs.error());
                return session.set_dead_letter_routes(mine, *theirs);
            });
    }

    /// Blocks until this type has fewer than `at_most` unfinished jobs; after `timeout` it returns errc::lane_full. It
    /// counts again every 5 to 200 ms. Other programs may enqueue between the count and your enqueue; the option
    /// `{.at_most = n}` of an enqueue is exact.
    template <class Job>
    result<void> wait_for_room(std::int64_t at_most, duration timeout) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return retry_while_full(timeout, [&] {
                return connection().with([&](auto& session, auto& lanes) -> result<void> {
                    std::int64_t open = 0;
                    for (const lane_id lane : lanes_for<Composition, Job>(lanes)) {
                        auto n = session.open_jobs(lane, at_most);
                        if (!n) return std::move(n.error());
                        open += *n;
                    }
                    if (open < at_most) return {};
                    return error_info{errc::lane_full, "it has as many jobs as it may have",
                                      "serve it with more workers"};
                });
            });
    }

    /// Makes held jobs claimable again; their attempts start over. A job whose unique key another job has by now stays
    /// held. The answer is the number of jobs that are claimable again.
    result<std::int64_t> requeue(std::span<const job_id> ids) {
        return connection().with([&](auto& session, auto&) { return session.requeue(ids); });
    }
    result<std::int64_t> requeue(job_id id) { return requeue({&id, 1}); }

    /// At most `limit` held jobs of one type, oldest first.
    template <class Job>
    result<std::vector<held_job>> held(std::size_t limit = 100) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) -> result<std::vector<held_job>> {
                std::vector<held_job> all;
                for (const lane_id lane : lanes_for<Composition, Job>(lanes)) {
                    if (all.size() >= limit) break;
                    auto some = session.held(lane, limit - all.size());
                    if (!some) return std::move(some.error());
                    std::move(some->begin(), some->end(), std::back_inserter(all));
                }
                return all;
            });
    }

    /// How many jobs of one type are in each state. It counts rows, so it is slow: for people and tests, not for loops.
    template <class Job>
    result<lane_counts> counts() {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return connection().with([&](auto& session, auto& lanes) -> result<lane_counts> {
                lane_counts sum;
                for (const lane_id lane : lanes_for<Composition, Job>(lanes)) {
                    auto some = session.counts(lane);
                    if (!some) return std::move(some.error());
                    sum += *some;
                }
                return sum;
            });
    }

    /// The limits of this queue for all workers together, as the database has them. A worker stores the limits of its
    /// queue type when it starts, if they are missing.
    result<std::vector<lane_limit>> limits() {
        return connection().with([&](auto& session, auto&) { return session.limits(connection().name(), {}); });
    }
    /// Changes such a limit for all workers, from their next claims on. With an amount of 0 no job starts.
    /// errc::invalid_option for values out of range, and if the database has no limit of this entrypoint, kind and
    /// number; the message says which it has.
    result<void> change_limit(const lane_limit& limit) {
        if (limit.limit.amount < 0 || limit.limit.burst < 1 || limit.limit.per < std::chrono::microseconds{1})
            return error_info{errc::invalid_option,
                              "a limit has a negative amount, a burst below 1 or no time to count in"};
        return connection().with([&](auto& session, auto&) -> result<void> {
            const auto changed = session.change_limit(connection().name(), limit);
            if (!changed) return changed.error();
            if (*changed) return {};
            const auto known = session.limits(connection().name(), {});
            if (!known) return known.error();
            return unknown_limit(limit, *known);
        });
    }

    /// What of the database makes jobs fail or wait without a message, for the role of this queue's connection. Empty
    /// for a driver that does not look for it. A worker looks when it starts.
    result<std::vector<database_problem>> problems() {
        return connection().with([](auto& session, auto&) -> result<std::vector<database_problem>> {
            if constexpr (requires { session.problems(); }) return session.problems();
            else return std::vector<database_problem>{};
        });
    }

    /// From its return on no job of this type is claimed or taken, by whichever program, until somebody calls
    /// `resume<Job>`. Jobs that have begun run to their end. A worker gives back what it has claimed and not begun,
    /// with its next sync, and these attempts do not count. Enqueues go on. The pause survives
    /// restarts.
    ///
    /// `reason` is for people, see `paused`. False if it was paused before; then only the reason changes.
    template <class Job>
    result<bool> pause(std::string_view reason) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else return set_paused({connection().name(), entrypoint_of<Job>, pause_kind::paused, reason});
    }
    /// The same for all entrypoints of this queue, also those that other programs know.
    result<bool> pause(std::string_view reason) {
        return set_paused({connection().name(), {}, pause_kind::paused, reason});
    }
    /// The same for all queues in this schema, also those that are made later.
    result<bool> pause_all(std::string_view reason) { return set_paused({{}, {}, pause_kind::paused, reason}); }

    /// From its return on an enqueue of this type fails with errc::draining, in whichever program, until somebody calls
    /// `resume<Job>`. Jobs that are there run to their end, with their retries. A pause is another thing: both may hold
    /// at once.
    template <class Job>
    result<bool> drain(std::string_view reason) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else return set_paused({connection().name(), entrypoint_of<Job>, pause_kind::draining, reason});
    }
    /// The same for all entrypoints of this queue.
    result<bool> drain(std::string_view reason) {
        return set_paused({connection().name(), {}, pause_kind::draining, reason});
    }
    /// The same for all queues in this schema.
    result<bool> drain_all(std::string_view reason) { return set_paused({{}, {}, pause_kind::draining, reason}); }

    /// Ends what `pause<Job>` and `drain<Job>` began; workers claim at once. What was paused with its whole queue, or
    /// with everything, stays paused. False if there was nothing to end.
    template <class Job>
    result<bool> resume() {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else return end_pause(connection().name(), entrypoint_of<Job>);
    }
    /// Ends what `pause(reason)` and `drain(reason)` began.
    result<bool> resume() { return end_pause(connection().name(), {}); }
    /// Ends what `pause_all` and `drain_all` began.
    result<bool> resume_all() { return end_pause({}, {}); }

    /// What is paused or draining of this queue, and of everything: since when and why.
    result<std::vector<paused_scope>> paused() {
        return connection().with([&](auto& session, auto&) { return session.paused(connection().name()); });
    }

private:
    result<bool> set_paused(const pause_request& what) {
        if (!is_storable_text(what.reason))
            return error_info{errc::invalid_text, "the reason has a zero byte or invalid UTF-8"};
        return connection().with([&](auto& session, auto&) { return session.pause(what); });
    }
    result<bool> end_pause(std::string_view queue, std::string_view entrypoint) {
        return connection().with([&](auto& session, auto&) { return session.resume(queue, entrypoint); });
    }
    static error_info unknown_limit(const lane_limit& limit, const std::vector<lane_limit>& known) {
        std::string stored;
        for (const lane_limit& l : known) stored += (stored.empty() ? "" : ", ") + name_of(l);
        return error_info{errc::invalid_option, "the database has no limit " + name_of(limit) + " of this queue",
                          stored.empty() ? "it has none: a worker whose queue type declares limits stores them"
                                         : "it has: " + stored};
    }
    static std::string name_of(const lane_limit& l) {
        return std::string{pgq::name_of(l.limit.kind)} + " number " + std::to_string(l.limit.number) +
               (l.entrypoint.empty() ? " of all entrypoints" : " of \"" + l.entrypoint + '"');
    }
    auto& connection() noexcept { return static_cast<Queue&>(*this).core().connection; }
};

}  // namespace pgq::detail
