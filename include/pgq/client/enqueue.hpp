#pragma once

#include <pgq/diagnostic/calls.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/job_handle.hpp>
#include <pgq/client/job_writer.hpp>
#include <pgq/client/open_transaction.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/client/repeat_in_doubt.hpp>
#include <pgq/client/report_enqueued.hpp>
#include <pgq/client/retry_while_full.hpp>
#include <pgq/client/send_trace.hpp>
#include <pgq/client/unavailable.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/trace/operation.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ranges>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::detail {

template <class Jobs>
using job_of_range = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;

/// The handle types of one job type. If the queue does not have the job type, the program does not compile, with a
/// message.
template <class Composition, class Job, bool Known = diagnostic::require_known_job<Composition, Job>::value>
struct handle_types {
    using one = job_handle<driver_of<Composition>, Job, typename Composition::template serializer_of<Job>>;
    using many = batch_handle<driver_of<Composition>, Job, typename Composition::template serializer_of<Job>>;
};
template <class Composition, class Job>
struct handle_types<Composition, Job, false> {
    using one = unavailable_handle;
    using many = unavailable_handle;
};

template <class Composition, class Job>
using batch_handle_of = typename handle_types<Composition, Job>::many;

/// Sends one request on one session. Returns the handles of its jobs.
template <class Handles, class Session, class Link>
result<Handles> insert(Session& session, const enqueue_request& r, const Link& link) {
    std::vector<job_id> ids;
    if (r.form() != insert_form::tracked) {
        if (auto put = session.enqueue(r, ids); !put) return put.error();
        return Handles{std::move(ids), {}, link};
    }
    std::vector<enqueued_job> jobs;
    const tracked_request all{.lanes = {&r.lane, 1}, .bodies = r.bodies, .options = r.options, .keys = r.keys};
    if (auto put = session.enqueue_tracked(all, jobs); !put) return put.error();
    std::vector<bool> others;
    for (const auto& j : jobs) ids.push_back(j.id), others.push_back(!j.is_new);
    return Handles{std::move(ids), std::move(others), link};
}

template <class Composition, class Job>
trace::send_begin send_of(const queue_core<Composition>& core) noexcept {
    return {.queue = core.connection.name(), .entrypoint = entrypoint_of<Job>};
}

/// `same`: all jobs have the same options, so `options_of` is called once.
template <class Composition, class Jobs, class OptionsOf>
auto enqueue_written(queue_core<Composition>& core, Jobs&& jobs, OptionsOf& options_of, bool same)
    -> result<batch_handle_of<Composition, job_of_range<Jobs>>> {
    using job_type = job_of_range<Jobs>;
    using handles = batch_handle_of<Composition, job_type>;
    constexpr auto lane = Composition::template lane_of<job_type>;
    if (is_beside_transaction(core.transactions)) return beside_transaction();
    job_writer<Composition, job_type> written{core.keep_results};
    if (auto done = written.add_all(jobs, options_of, same); !done) return std::move(done.error());
    if (written.empty()) return handles{{}, {}, core.link};
    const enqueue_request request = written.request({});
    // No group commit for a driver that lends sessions: there each thread has its own session and need not wait.
    if (!lending_driver<driver_of<Composition>> && request.form() == insert_form::one) {
        auto id = core.commits.put(core.connection, lane, request.options[0], (*request.bodies)[0]);
        if (!id) return std::move(id.error());
        report_enqueued(core, entrypoint_of<job_type>, 1);
        return handles{{*id}, {}, core.link};
    }
    duration wait_for_room{};
    for (const auto& o : request.options) wait_for_room = std::max(wait_for_room, o.wait_for_room);
    const auto send = [&] {
        return core.connection.with([&](auto& session, auto& lanes) {
            return insert<handles>(session, written.request(lanes[lane]), core.link);
        });
    };
    auto put = retry_while_full(wait_for_room, [&] { return repeat_in_doubt(request.has_request_id(), send); });
    if constexpr (reports_enqueues<Composition>)
        if (put) report_enqueued(core, entrypoint_of<job_type>, put->count_new());
    return put;
}

/// What queue::enqueue does with a range. `options_of(job)` returns the options of a job, or is `same_options`.
template <class Composition, class Jobs, class OptionsOf>
auto enqueue_range(queue_core<Composition>& core, Jobs&& jobs, OptionsOf options_of)
    -> result<batch_handle_of<Composition, job_of_range<Jobs>>> {
    return traced(core.observer, send_of<Composition, job_of_range<Jobs>>(core), options_of,
                  [&](auto& of) { return enqueue_written(core, jobs, of, std::same_as<OptionsOf, same_options>); });
}

/// Enqueues in a transaction: writes the jobs, then calls `put(position of the lane, writer, ids)`, which stores them.
template <class Composition, class Jobs, class Put>
result<std::vector<job_id>> enqueue_inside(queue_core<Composition>& core, Jobs&& jobs, const enqueue_options& options,
                                           Put put) {
    using job_type = job_of_range<Jobs>;
    using answer = result<std::vector<job_id>>;
    const same_options all{&options};
    return traced(core.observer, send_of<Composition, job_type>(core), all, [&](auto& options_of) -> answer {
        job_writer<Composition, job_type> written{core.keep_results};
        if (auto done = written.add_all(jobs, options_of, true); !done) return std::move(done.error());
        std::vector<job_id> ids;
        if (written.empty()) return ids;
        if (result<void> done = put(Composition::template lane_of<job_type>, written, ids); !done)
            return std::move(done.error());
        return ids;
    });
}

/// What queue::enqueue(within(connection), range) does.
template <class Composition, class Tx, class Jobs>
result<std::vector<job_id>> enqueue_within(queue_core<Composition>& core, Tx& tx, Jobs&& jobs,
                                           const enqueue_options& options) {
    if constexpr (!diagnostic::require_known_job<Composition, job_of_range<Jobs>>()) return errc::invalid_option;
    else {
        auto put = enqueue_inside<Composition>(
            core, jobs, options, [&](std::size_t lane, const auto& written, auto& ids) -> result<void> {
                auto found = core.connection.with([&](auto& session, auto& lanes) -> result<lane_id> {
                    tx.meet(session);
                    return lanes[lane];
                });
                if (!found) return std::move(found.error());
                return tx.enqueue(written.request(*found), ids);
            });
        if (put) report_enqueued(core, entrypoint_of<job_of_range<Jobs>>, put->size(), false);
        return put;
    }
}
/// The answer about one job, of a call for several.
template <class Answer>
result<Answer> only_one(result<std::vector<Answer>> all) {
    if (!all) return std::move(all.error());
    return std::move(all->front());
}

inline constexpr enqueue_options no_options{};

/// What queue::enqueue_stream does.
template <class Composition, class Jobs>
result<std::int64_t> enqueue_stream(queue_core<Composition>& core, Jobs&& jobs, job_priority priority) {
    using job_type = job_of_range<Jobs>;
    if (auto fine = check_priority(priority); !fine) return std::move(fine.error());
    if (!priority.is_set()) priority = settings_for<Composition, job_type>::priority;
    if (is_beside_transaction(core.transactions)) return beside_transaction();
    auto begin = send_of<Composition, job_type>(core);
    begin.carried = false;
    const same_options all{&no_options};
    const auto put_all = [&](auto& session, auto& lanes) -> result<std::int64_t> {
        auto stream = session.copy(lanes[Composition::template lane_of<job_type>]);
        bodies body, key;
        for (const auto& job : jobs) {
            body.clear();
            key.clear();
            if (auto done = job_writer<Composition, job_type>::write(job, body, key); !done)
                return std::move(done.error());
            // GCC with -O3 takes the two in one optional for perhaps uninitialized.
            auto put =
                key.empty() ? stream.put(body[0], priority, std::nullopt) : stream.put(body[0], priority, key[0]);
            if (!put) return put.error();
        }
        return stream.finish();
    };
    auto answer = traced(core.observer, begin, all, [&](auto&) { return core.connection.with(put_all); });
    if (answer) report_enqueued(core, entrypoint_of<job_type>, static_cast<std::size_t>(*answer));
    return answer;
}

/// What queue::async_enqueue does with a range. `Answer` is job_id, for one job, or a vector of them.
template <class Answer, class Composition, class Jobs, class Token>
auto async_enqueue_range(queue_core<Composition>& core, Jobs&& jobs, const enqueue_options& options, Token&& token) {
    using job_type = job_of_range<Jobs>;
    const same_options same{&options};
    auto begin = send_of<Composition, job_type>(core);
    begin.what = trace::send_kind::create;
    auto batch = [&](auto& options_of) -> result<enqueue_batch> {
        if (auto fine = check_queue_name(core.connection.name()); !fine) return std::move(fine.error());
        if (is_beside_transaction(core.transactions)) return beside_transaction();
        enqueue_batch all;
        job_writer<Composition, job_type> written{core.keep_results};
        if (auto done = written.add_all_to(all, jobs, options_of, true); !done) return std::move(done.error());
        if constexpr (reports_enqueues<Composition>) all.when_stored(report_when_stored<job_type>(core));
        return all;
    };
    return core.connection.async().template async_enqueue<Answer>(
        Composition::template lane_of<job_type>, traced(core.observer, begin, same, batch), std::forward<Token>(token));
}

}  // namespace pgq::detail
