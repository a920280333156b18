#pragma once

#include <pgq/client/stored_options.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/bodies.hpp>
#include <pgq/job/enqueue_batch.hpp>
#include <pgq/job/key.hpp>
#include <pgq/job/options.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Jobs on their way to a driver: payloads, keys of limits, and options with what travels along. `keep`: how long the ends of jobs with a result
/// can be asked for.
template <class Composition>
class job_writer {
public:
    template <class Job>
    using serializer_of = typename Composition::template serializer_of<Job>;
    template <class Job>
    using luggage_of = stored_options<typename Composition::template backoff_of<Job>,
                                      typename Composition::template uniqueness_of<Job>>;

    /// One payload, and one key where the job's limiter wants one.
    template <class Job>
    static result<void> put(const Job& job, bodies& payloads, bodies& keys) {
        if (auto written = serializer_of<Job>{}.write(job, payloads.bytes()); !written) return written;
        payloads.close();
        using limiter_type = typename Composition::template limiter_of<Job>;
        if constexpr (can_key<limiter_type, Job>) {
            limiter_type{}.key(job, keys.bytes());
            keys.close();
            if (!is_storable_text(keys[keys.size() - 1]))
                return error_info{errc::invalid_text, "a job's key holds a zero byte or bytes that are not UTF-8"};
            if (keys[keys.size() - 1].size() > max_key_bytes)
                return error_info{errc::invalid_name, "a job's key has more than 2048 bytes", "go by a digest of it"};
        }
        return {};
    }

    // Jobs with a result are tracked, so that it can be asked for.
    template <class Job>
    static enqueue_options completed(enqueue_options o, duration keep) noexcept {
        if (keeps_result<Job, serializer_of<Job>> && o.keep_outcome <= duration{}) o.keep_outcome = keep;
        return o;
    }

    /// A range, with options for each, or for all when they are the `same`. What the options refer to stays where it is.
    template <class Job, class Jobs, class OptionsOf>
    static result<void> put_all(Jobs&& jobs, OptionsOf& options_of, bool same, bodies& payloads, bodies& keys,
                                std::vector<enqueue_options>& options, luggage_of<Job>& luggage, duration keep) {
        for (auto&& job : jobs) {
            if (auto done = put(job, payloads, keys); !done) return done;
            if (!same || luggage_of<Job>::differs || options.empty())
                options.push_back(completed<Job>(luggage.pack(options_of(job), job), keep));
        }
        return {};
    }

    /// The same with a copy of all that is referred to.
    template <class Job, class Jobs, class OptionsOf>
    static result<enqueue_batch> batch_of(Jobs&& jobs, OptionsOf& options_of, bool same, duration keep) {
        enqueue_batch batch;
        luggage_of<Job> luggage;
        for (auto&& job : jobs) {
            if (auto done = put(job, batch.written(), batch.keys()); !done) return std::move(done.error());
            if (!same || luggage_of<Job>::differs || !batch.has_options())
                batch.add_options(completed<Job>(luggage.pack(options_of(job), job), keep));
        }
        return batch;
    }

    /// One more job of a batch of any types; whether it has a key. Those without have an empty one.
    template <class Job>
    static result<bool> add_to(enqueue_batch& batch, const Job& job, const enqueue_options& o, duration keep) {
        luggage_of<Job> luggage;
        const std::size_t before = batch.keys().size();
        if (auto done = put(job, batch.written(), batch.keys()); !done) return std::move(done.error());
        batch.add_options(completed<Job>(luggage.pack(o, job), keep));
        const bool keyed = batch.keys().size() != before;
        if (!keyed) batch.keys().close();
        return keyed;
    }
};

}  // namespace pgq::detail
