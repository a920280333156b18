#pragma once

#include <pgq/client/stored_options.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/bodies.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/options.hpp>

#include <vector>

namespace pgq::detail {

/// Jobs of one type on their way into the database, with all that an enqueue_request refers to. The options must outlive it.
template <class Composition, class Job>
class written_jobs {
    using limiter = typename Composition::template limiter_of<Job>;

public:
    explicit written_jobs(const enqueue_options& all) : all_{&all} {}
    written_jobs(const written_jobs&) = delete;
    written_jobs& operator=(const written_jobs&) = delete;

    result<void> add(const Job& job) {
        typename Composition::template serializer_of<Job> serializer{};
        if (auto written = serializer.write(job, bodies_.bytes()); !written) return std::move(written.error());
        bodies_.close();
        if constexpr (can_key<limiter, Job>) {
            limiter{}.key(job, keys_.bytes());
            keys_.close();
            if (!is_storable_text(keys_[keys_.size() - 1]))
                return error_info{errc::invalid_text, "a job's key holds a zero byte or bytes that are not UTF-8"};
        }
        if (luggage_type::differs || options_.empty()) {
            auto& o = options_.emplace_back(luggage_.pack(*all_, job));
            using serializer_type = typename Composition::template serializer_of<Job>;
            if (keeps_result<Job, serializer_type> && o.keep_outcome <= duration{})
                o.keep_outcome = default_keep_results;
        }
        return {};
    }
    bool empty() const noexcept { return bodies_.empty(); }
    enqueue_request request(lane_id lane) const noexcept {
        return {.lane = lane, .bodies = &bodies_, .options = options_, .keys = &keys_};
    }

private:
    using luggage_type = stored_options<typename Composition::template backoff_of<Job>,
                                        typename Composition::template uniqueness_of<Job>>;

    const enqueue_options* all_;
    luggage_type luggage_{};
    std::vector<enqueue_options> options_{};
    bodies bodies_{};
    bodies keys_{};
};

}  // namespace pgq::detail
