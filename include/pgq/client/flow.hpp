#pragma once

#include <pgq/client/job_writer.hpp>
#include <pgq/client/open_transaction.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/client/repeat_in_doubt.hpp>
#include <pgq/client/report_enqueued.hpp>
#include <pgq/client/send_trace.hpp>
#include <pgq/concept/tracer.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/trace/operation.hpp>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

template <class Queue>
class flow;
template <class Queue>
class chain;

/// A job of a flow that is not enqueued yet.
template <class Queue>
class flow_job {
public:
    /// The job becomes claimable when these have ended. If one of them has not succeeded, `if_parent_fails` of the
    /// job's options decides. Parents are any jobs of the same flow, and ids of jobs that are enqueued already.
    template <class... Parents>
        requires((std::same_as<Parents, flow_job> || std::convertible_to<Parents, job_id>)&&...)
    flow_job& after(const Parents&... parents) {
        (flow_->wait_for(number_, parents), ...);
        return *this;
    }

private:
    friend class flow<Queue>;
    flow_job(flow<Queue>& of, std::uint32_t number) noexcept : flow_{&of}, number_{number} {}

    flow<Queue>* flow_;
    std::uint32_t number_;
};

/// Jobs of any types of a queue, enqueued in one step, all or none. Some may wait for others:
///
///     auto flow = jobs.flow();
///     auto left = flow.add(app::fetch{"a"}), right = flow.add(app::fetch{"b"});
///     flow.add(app::merge{}).after(left, right);
///     flow.enqueue().value();
///
/// `add` copies the job and its options; `enqueue` reports what is wrong with them. For one thread. Do not move a flow
/// while its `flow_job`s are in use.
template <class Queue>
class flow {
    using composition_type = typename Queue::composition_type;

public:
    explicit flow(Queue& queue) noexcept : core_{queue.shared_core()} {}

    template <class Job>
    flow_job<Queue> add(const Job& job, const enqueue_options& options = {}) {
        if constexpr (diagnostic::require_known_job<composition_type, Job>()) {
            detail::job_writer<composition_type, Job> writer{core_->keep_results};
            auto keyed = writer.add_to(batch_, job, options);
            if (!keyed && !wrong_) wrong_ = std::move(keyed.error());
            keyed_.push_back(keyed && *keyed);
            lanes_.push_back(composition_type::template lane_of<Job>);
            names_.push_back(entrypoint_of<Job>);
        }
        return {*this, static_cast<std::uint32_t>(names_.size() - 1)};
    }

    /// Adds a job that becomes claimable when all jobs added before it have ended, in whatever way.
    template <class Job>
    flow_job<Queue> finally(const Job& job, enqueue_options options = {}) {
        options.if_parent_fails = parent_failure::run;
        auto last = add(job, options);
        for (std::uint32_t i = 0; i < last.number_; ++i) edges_.push_back({.child = last.number_, .parent = i});
        return last;
    }

    std::size_t size() const noexcept { return names_.size(); }

    /// The ids in the order in which the jobs were added. errc::invalid_option if jobs wait for each other in a circle.
    /// The flow is empty afterwards, also after an error.
    result<std::vector<enqueued_job>> enqueue() {
        auto wrong = std::exchange(wrong_, std::nullopt);
        auto batch = std::exchange(batch_, enqueue_batch{});
        auto keyed = std::exchange(keyed_, {});
        auto positions = std::exchange(lanes_, {});
        auto edges = std::exchange(edges_, {});
        auto names = std::exchange(names_, {});
        auto earlier = std::exchange(earlier_, {});
        if (detail::is_beside_transaction(core_->transactions)) return detail::beside_transaction();
        if (!wrong) wrong = circle(edges, names);
        if (wrong) return std::move(*wrong);
        if (positions.empty()) return std::vector<enqueued_job>{};
        for (auto& [number, parents] : earlier) batch.add_parents(number, parents);
        std::span<const enqueue_options> options = batch.options();
        const auto send = [&](auto& session, auto& lanes) -> result<std::vector<enqueued_job>> {
            std::vector<lane_id> where;
            for (const std::size_t p : positions) where.push_back(lanes[p]);
            std::vector<enqueued_job> jobs;
            const tracked_request r{.lanes = where,
                                    .bodies = &batch.written(),
                                    .options = options,
                                    .keys = &batch.keys(),
                                    .keyed = &keyed,
                                    .edges = edges};
            if (auto put = session.enqueue_tracked(r, jobs); !put) return put.error();
            return jobs;
        };
        auto put = traced(options, names, [&] {
            return detail::repeat_in_doubt(batch.request({}).has_request_id(),
                                           [&] { return core_->connection.with(send); });
        });
        if constexpr (detail::reports_enqueues<composition_type>)
            if (put) detail::report_enqueued(*core_, names, *put);
        return put;
    }

private:
    friend class flow_job<Queue>;
    friend class chain<Queue>;

    void wait_for(std::uint32_t child, const flow_job<Queue>& parent) {
        edges_.push_back({.child = child, .parent = parent.number_});
    }
    void wait_for(std::uint32_t child, job_id parent) {
        const auto mine =
            std::find_if(earlier_.begin(), earlier_.end(), [&](const auto& o) { return o.first == child; });
        if (mine != earlier_.end()) mine->second.push_back(parent);
        else earlier_.push_back({child, {parent}});
    }

    // One span for all jobs, which begins when they are sent. `options` get its context for the call of `send`.
    template <class Send>
    auto traced(std::span<const enqueue_options>& options, const std::vector<std::string_view>& names, Send send) {
        if constexpr (!has_tracer<typename composition_type::observer>) return send();
        else {
            const bool alike = std::adjacent_find(names.begin(), names.end(), std::not_equal_to<>{}) == names.end();
            const trace::send_begin begin{.queue = core_->connection.name(),
                                          .entrypoint = alike ? names.front() : std::string_view{}};
            const auto as_given = [](const enqueue_options& o) { return o; };
            return detail::traced(core_->observer, begin, as_given, [&](auto& options_of) {
                std::vector<enqueue_options> all;
                for (const enqueue_options& o : options) all.push_back(options_of(o));
                options = all;
                return send();
            });
        }
    }

    // Removes jobs that wait for nothing until there are none. The jobs that are left wait for each other.
    static std::optional<error_info> circle(std::vector<edge>& edges, const std::vector<std::string_view>& names) {
        const auto before = [](const edge& a, const edge& b) {
            return std::pair{a.parent, a.child} < std::pair{b.parent, b.child};
        };
        std::sort(edges.begin(), edges.end(), before);
        edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
        std::vector<std::uint32_t> open(names.size(), 0), free;
        for (const edge& e : edges) ++open[e.child];
        for (std::uint32_t i = 0; i < open.size(); ++i)
            if (open[i] == 0) free.push_back(i);
        std::size_t left = names.size();
        for (; !free.empty(); --left) {
            const std::uint32_t one = free.back();
            free.pop_back();
            for (auto e = std::lower_bound(edges.begin(), edges.end(), edge{.child = 0, .parent = one}, before);
                 e != edges.end() && e->parent == one; ++e)
                if (--open[e->child] == 0) free.push_back(e->child);
        }
        if (left == 0) return std::nullopt;
        std::string which;
        for (std::size_t i = 0; i < names.size(); ++i)
            if (open[i] != 0)
                which += (which.empty() ? "" : ", ") + std::string{names[i]} + " (job " + std::to_string(i + 1) + ")";
        return error_info{errc::invalid_option, "these jobs of the flow wait for each other in a circle: " + which,
                          "let at least one of them wait for none of the others"};
    }

    std::shared_ptr<detail::queue_core<composition_type>> core_;
    enqueue_batch batch_;
    std::vector<bool> keyed_;         // which jobs have a key for limits
    std::vector<std::size_t> lanes_;  // positions in the composition
    std::vector<std::string_view> names_;
    std::vector<edge> edges_;
    std::vector<std::pair<std::uint32_t, std::vector<job_id>>> earlier_;
    std::optional<error_info> wrong_;
};

/// Jobs that run one after the other: `jobs.chain(a).then(b).then(c).enqueue()`. If a job fails for good,
/// `if_parent_fails` of the next one decides.
template <class Queue>
class chain {
public:
    explicit chain(Queue& queue) : flow_{queue} {}

    template <class Job>
    chain& then(const Job& job, const enqueue_options& options = {}) & {
        (void)flow_.add(job, options);
        const auto number = static_cast<std::uint32_t>(flow_.size() - 1);
        if (number > 0) flow_.edges_.push_back({.child = number, .parent = number - 1});
        return *this;
    }
    template <class Job>
    chain&& then(const Job& job, const enqueue_options& options = {}) && {
        return std::move(then(job, options));
    }

    /// See flow::enqueue.
    result<std::vector<enqueued_job>> enqueue() { return flow_.enqueue(); }

private:
    flow<Queue> flow_;
};

}  // namespace pgq
