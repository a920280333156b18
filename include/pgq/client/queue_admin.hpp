#pragma once

#include <pgq/client/client_connection.hpp>
#include <pgq/client/job_handle.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/revision.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace pgq::detail {

// Again and again, as long as a lane is full and there is time. Who makes room tells nobody, so this looks, ever less often.
template <class Call>
auto retry_while_full(duration patience, Call call) {
    const auto until = deadline_in(patience);
    for (duration pause = std::chrono::milliseconds{5};;
         pause = std::min<duration>(pause * 2, std::chrono::milliseconds{200})) {
        auto answer = call();
        const duration left = until - std::chrono::steady_clock::now();
        if (answer || answer.error() != errc::lane_full || left <= duration{}) return answer;
        std::this_thread::sleep_for(std::min(pause, left));
    }
}

/// What a queue object does besides enqueueing and taking jobs: looking after those that are there. A part of pgq::queue.
template <class Queue, class Composition>
class queue_admin {
public:
    /// How far a running job is, as its handler has said last by `context::progress`. Nothing when it has said nothing, has ended or is held.
    result<std::optional<job_progress>> progress(job_id id) { return progress_through(client(), id); }

    /// Removes jobs that wait, are delayed, blocked or held, all in one step, and asks those that run to stop: within a second they see
    /// their stop tokens, wherever they run. One that ends as done all the same is done; in any other way it is cancelled. Until then it
    /// keeps its unique key and its place in every limit.
    result<cancel_reply> cancel(std::span<const job_id> ids) {
        return client().with([&](auto& session, auto&) { return session.cancel(ids); });
    }
    result<cancel_reply> cancel(job_id id) { return cancel({&id, 1}); }

    /// Jobs of one type by their headers and where they are, in the order of their ids. A scan: for people and programs that look after jobs.
    template <class Job>
    result<std::vector<job_id>> find_all(const filter& which = {}, job_place where = anywhere,
                                         std::int64_t limit = INT64_MAX) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return client().with([&](auto& session, auto& lanes) -> result<std::vector<job_id>> {
                std::vector<job_id> found;
                const auto mine = lanes_of<Job>(lanes);
                if (auto done = session.find({mine, where, &which, limit}, found); !done) return done.error();
                return found;
            });
    }
    /// All such jobs that are there now; see the other.
    template <class Job>
    result<cancel_reply> cancel_all(const filter& which = {}, job_place where = anywhere) {
        auto found = find_all<Job>(which, where);
        if (!found) return std::move(found.error());
        return cancel(*found);
    }
    /// The held ones among them start over: a redrive. How many.
    template <class Job>
    result<std::int64_t> requeue_all(const filter& which = {}) {
        auto found = find_all<Job>(which, job_place::held);
        if (!found) return std::move(found.error());
        return requeue(*found);
    }
    /// The attempts of a job that failed, oldest first, for some days, whatever has become of it.
    result<std::vector<failed_attempt>> failures(job_id id) {
        return client().with([&](auto& session, auto&) { return session.failures(id); });
    }

    /// From now on jobs of this type that would be held go to the queue of that name instead, where a worker of the same queue type may
    /// run them like any others: same id, payload and priority, attempts from the beginning, and headers that say where they come from (pgq-died-in,
    /// pgq-died-of, pgq-attempts). It holds for all programs. An empty name ends it.
    template <class Job>
    result<void> dead_letters(std::string_view queue_name) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return client().with([&](auto& session, auto& lanes) -> result<void> {
                const auto mine = lanes_of<Job>(lanes);
                if (queue_name.empty()) return session.set_dead_letters(mine, {});
                if (queue_name == client().name())
                    return error_info{errc::invalid_option, "a queue cannot be its own dead letters",
                                      "name another queue"};
                std::vector<lane_name> names;
                for (std::size_t i = 0; i < lanes.size(); ++i)
                    if (Composition::lanes[i].job == Composition::template index_of<Job>)
                        names.push_back(Composition::lanes[i].name);
                auto theirs = session.lanes(queue_name, names);
                if (!theirs) return std::move(theirs.error());
                return session.set_dead_letters(mine, *theirs);
            });
    }

    /// Waits until fewer than `at_most` jobs of this type have not ended, at most `timeout`: errc::lane_full then. Others may
    /// enqueue in between: to be exact, say it with the enqueue, `{.at_most = n}`.
    template <class Job>
    result<void> wait_for_room(std::int64_t at_most, duration timeout) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return retry_while_full(timeout, [&] {
                return client().with([&](auto& session, auto& lanes) -> result<void> {
                    std::int64_t open = 0;
                    for (const lane_id lane : lanes_of<Job>(lanes)) {
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

    /// Makes held jobs claimable again, with all attempts before them. How many of the ids were held.
    result<std::int64_t> requeue(std::span<const job_id> ids) {
        return client().with([&](auto& session, auto&) { return session.requeue(ids); });
    }
    result<std::int64_t> requeue(job_id id) { return requeue({&id, 1}); }

    /// Held jobs of one type, oldest first.
    template <class Job>
    result<std::vector<held_job>> held(std::size_t limit = 100) {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return client().with([&](auto& s, auto& lanes) -> result<std::vector<held_job>> {
                std::vector<held_job> all;
                for (std::size_t i = 0; i < lanes.size() && all.size() < limit; ++i) {
                    if (Composition::lanes[i].job != Composition::template index_of<Job>) continue;
                    auto some = s.held(lanes[i], limit - all.size());
                    if (!some) return std::move(some.error());
                    std::move(some->begin(), some->end(), std::back_inserter(all));
                }
                return all;
            });
    }

    /// Where the jobs of one type are. This counts rows: for people and tests, not for loops.
    template <class Job>
    result<lane_counts> counts() {
        if constexpr (!diagnostic::require_known_job<Composition, Job>()) return errc::invalid_option;
        else
            return client().with([&](auto& s, auto& lanes) -> result<lane_counts> {
                lane_counts sum;
                for (std::size_t i = 0; i < lanes.size(); ++i) {
                    if (Composition::lanes[i].job != Composition::template index_of<Job>) continue;
                    auto some = s.counts(lanes[i]);
                    if (!some) return std::move(some.error());
                    sum += *some;
                }
                return sum;
            });
    }

    /// The limits of this queue that hold for all workers, as the database has them: those that a worker has declared.
    result<std::vector<lane_limit>> limits() {
        return client().with([&](auto& session, auto&) { return session.limits(client().name(), {}); });
    }
    /// Changes such a limit for all workers, from their next claims on. False when there is none of this entrypoint, kind and
    /// number: a worker of the queue makes them when it starts. An amount of 0 lets nothing begin.
    result<bool> change_limit(const lane_limit& limit) {
        if (limit.limit.amount < 0 || limit.limit.burst < 1 || limit.limit.per < std::chrono::microseconds{1})
            return error_info{errc::invalid_option,
                              "a limit has a negative amount, a burst below 1 or no time to count in"};
        return client().with([&](auto& session, auto&) { return session.change_limit(client().name(), limit); });
    }

private:
    template <class Job>
    static std::vector<lane_id> lanes_of(const std::vector<lane_id>& all) {
        std::vector<lane_id> mine;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (Composition::lanes[i].job == Composition::template index_of<Job>) mine.push_back(all[i]);
        return mine;
    }

    auto& client() noexcept { return *static_cast<Queue&>(*this).client_; }
};

}  // namespace pgq::detail
