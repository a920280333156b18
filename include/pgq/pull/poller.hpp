#pragma once

#include <pgq/client/queue_core.hpp>
#include <pgq/compose/retry_delay.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/context/job_services.hpp>
#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/pull/get_job.hpp>
#include <pgq/pull/poll_worker.hpp>
#include <pgq/pull/polled_job.hpp>
#include <pgq/pull/wait_for_job.hpp>

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace pgq {

/// Takes jobs of one type under leases, one after the other. The caller answers for each job:
/// `for (auto& job : jobs.poll<mail>()) { send(*job); job.ack(); }`.
///
/// The loop ends if no job comes within the timeout; the caller may begin another loop. In the loop an error throws
/// `failure`. next() does the same without a loop, and returns errors; any thread may call it. The poller sends a
/// heartbeat for its jobs, from a thread and a connection of its own. When it is destroyed, jobs without an answer are
/// claimable again at once, and these attempts do not count.
template <class Queue, class Job>
class poller {
    using composition = typename Queue::composition_type;
    using worker_type = detail::poll_worker<typename Queue::driver_type, typename Queue::observer_type>;

public:
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = polled_job<Job>;
        using difference_type = std::ptrdiff_t;

        explicit iterator(poller& p) : poller_{&p} { poller_->advance(); }
        iterator(iterator&&) noexcept = default;
        iterator& operator=(iterator&&) noexcept = default;

        polled_job<Job>& operator*() const noexcept { return *poller_->current_; }
        polled_job<Job>* operator->() const noexcept { return &*poller_->current_; }
        iterator& operator++() {
            poller_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept { return !poller_->current_.has_value(); }

    private:
        poller* poller_;
    };

    poller(Queue& queue, poll_options options)
        : core_{queue.shared_core()},
          worker_{std::make_shared<worker_type>(
              queue.driver(), queue.observer(),
              detail::polled_queue{.name = queue.name(),
                                   .entrypoint = std::string{entrypoint_of<Job>},
                                   .declared = queue.limiters().declared,
                                   .max_attempts = detail::settings_for<composition, Job>::max_attempts},
              std::move(options))} {}
    poller(poller&&) noexcept = default;
    poller& operator=(poller&&) = delete;
    ~poller() {
        current_.reset();
        if (worker_) worker_->close();
    }

    iterator begin() { return iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// The next job, or empty if there is none within the timeout. A job that cannot be read is held with the reason,
    /// and the next one is taken.
    result<std::optional<polled_job<Job>>> next() {
        const poll_options& o = worker_->options();
        if (auto valid = detail::check(o); !valid) return std::move(valid.error());
        const steady_time end = detail::give_up_at(o.timeout, std::chrono::steady_clock::now());
        auto lanes = core_->connection.lanes(end);
        if (!lanes) return std::move(lanes.error());
        detail::waiting wait = detail::waiting_for<composition, Job>(*lanes, o);
        wait.give_up_at = end;
        auto& cache = detail::cache_of(*core_);
        for (;;) {
            auto lease = detail::wait_for_job(
                cache, core_->connection.driver(), wait,
                [&](std::optional<duration>& due) { return worker_->claim(wait.lanes, due, end); });
            if (!lease) return std::move(lease.error());
            if (!*lease) return std::optional<polled_job<Job>>{};
            Job job{};
            auto read = detail::try_read<composition>(*lanes, (*lease)->lane, (*lease)->jobs.front().body, job);
            // Only a payload of the current version can be replaced by polled_job::update.
            const bool is_current = detail::version_in<composition>(*lanes, (*lease)->lane) == 0;
            if (read)
                return std::optional{polled_job<Job>{worker_, std::move(**lease), std::move(job), &backoff_of,
                                                     is_current ? &writer : nullptr}};
            if (auto held = hold_unreadable(**lease, std::move(read.error())); !held) return std::move(held.error());
        }
    }

private:
    static constexpr const auto& writer = detail::writer_of<Job, typename composition::template serializer_of<Job>>;

    static duration backoff_of(const job_record& record) {
        return detail::retry_delay<typename composition::template backoff_of<Job>>(record);
    }
    void advance() {
        current_.reset();
        auto found = next().value();
        if (found) current_.emplace(std::move(*found));
    }
    result<void> hold_unreadable(const claimed_lease& lease, error_info why) {
        const auto& record = lease.jobs.front();
        const auto reason = detail::report_unreadable(core_->observer, record.id, std::move(why));
        return worker_->answer(lease.ref,
                               settlement{.index = record.index, .kind = settle_kind::hold, .reason = reason});
    }

    std::shared_ptr<detail::queue_core<composition>> core_;
    std::shared_ptr<worker_type> worker_;
    std::optional<polled_job<Job>> current_{};
};

}  // namespace pgq
