#pragma once

#include <pgq/client/stored_options.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/key.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/time/clock.hpp>

#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Checks that a driver can store the key that a limiter with keys has made of a job.
inline result<void> check_limit_key(std::string_view key) {
    if (!is_storable_text(key))
        return error_info{errc::invalid_text, "a job's key holds a zero byte or bytes that are not UTF-8"};
    if (key.size() > max_key_bytes)
        return error_info{errc::invalid_name, "a job's key has more than 2048 bytes", "use a digest of it as the key"};
    return {};
}

/// Writes jobs of one type as a driver stores them: payloads, keys for limits, and options. Every enqueue goes through
/// here.
///
/// `keep_results`: how long the outcome of a job with a `result` is kept, unless the options set `keep_outcome`. The
/// writer stores options as views: the texts that they refer to must outlive the request.
template <class Composition, class Job>
class job_writer {
    using serializer_type = typename Composition::template serializer_of<Job>;
    using limiter_type = typename Composition::template limiter_of<Job>;
    using options_type = stored_options<typename Composition::template backoff_of<Job>,
                                        typename Composition::template uniqueness_of<Job>,
                                        enqueue_settings<settings_for<Composition, Job>>>;

public:
    explicit job_writer(duration keep_results) : keep_results_{keep_results} {}
    job_writer(const job_writer&) = delete;
    job_writer& operator=(const job_writer&) = delete;

    /// Appends one payload, and one key if the entrypoint has a limiter with keys.
    static result<void> write(const Job& job, bodies& payloads, bodies& keys) {
        if (auto written = serializer_type{}.write(job, payloads.bytes()); !written) return written;
        payloads.close();
        if constexpr (can_key<limiter_type, Job>) {
            limiter_type{}.key(job, keys.bytes());
            keys.close();
            return check_limit_key(keys[keys.size() - 1]);
        }
        return {};
    }

    /// Writes all jobs of a range. `options_of(job)` returns the options of a job. `same`: all jobs have the same
    /// options, so it is called for the first job only.
    template <class Jobs, class OptionsOf>
    result<void> add_all(Jobs&& jobs, OptionsOf& options_of, bool same) {
        for (auto&& job : jobs) {
            if (auto done = write(job, payloads_, keys_); !done) return done;
            if (!same || options_type::per_job || options_.empty()) {
                options_.push_back(with_result(stored_.of(options_of(job), job)));
                if (auto fine = check_values(options_.back()); !fine) return fine;
            }
        }
        return {};
    }

    /// The same, but writes into a batch, which owns a copy of everything that the options refer to.
    template <class Jobs, class OptionsOf>
    result<void> add_all_to(enqueue_batch& batch, Jobs&& jobs, OptionsOf& options_of, bool same) {
        for (auto&& job : jobs) {
            if (auto done = write(job, batch.written(), batch.keys()); !done) return done;
            if (!same || options_type::per_job || !batch.has_options()) {
                const enqueue_options options = with_result(stored_.of(options_of(job), job));
                if (auto fine = check_values(options); !fine) return fine;
                batch.add_options(options);
            }
        }
        return {};
    }

    /// Adds one job to a batch of jobs of any types. True if the job has a key; a job without one gets an empty key.
    result<bool> add_to(enqueue_batch& batch, const Job& job, const enqueue_options& options) {
        if (auto done = write(job, batch.written(), batch.keys()); !done) return std::move(done.error());
        if (auto fine = check_values(options); !fine) return std::move(fine.error());
        batch.add_options(with_result(stored_.of(options, job)));
        constexpr bool keyed = can_key<limiter_type, Job>;
        if constexpr (!keyed) batch.keys().close();
        return keyed;
    }

    bool empty() const noexcept { return payloads_.empty(); }
    enqueue_request request(lane_id lane) const noexcept {
        return {.lane = lane, .bodies = &payloads_, .options = options_, .keys = &keys_};
    }

private:
    // A job with a `result` type must be tracked: only the outcomes of tracked jobs are kept.
    enqueue_options with_result(enqueue_options o) const noexcept {
        if (keeps_result<Job, serializer_type> && o.keep_outcome <= duration{}) o.keep_outcome = keep_results_;
        return o;
    }

    duration keep_results_;
    options_type stored_{};
    std::vector<enqueue_options> options_{};
    bodies payloads_{};
    bodies keys_{};
};

}  // namespace pgq::detail
