#pragma once

#include <pgq/client/job_writer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/schedule.hpp>
#include <pgq/schedule/schedule_options.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A schedule of this program. It owns its texts and its job.
class declared_schedule {
public:
    /// `o` is checked already and has a name.
    template <class Composition, class Job>
    static result<declared_schedule> make(std::string expression, const Job& job, schedule_options o,
                                          duration keep_results) {
        declared_schedule made;
        made.expression_ = std::move(expression);
        const std::string key = "schedule/" + o.name;
        if (o.overlap == overlap::skip) o.job.unique_key = key;
        if (o.overlap == overlap::queue_one) o.job.unique_key = unique{key}.while_waiting();
        job_writer<Composition, Job> writer{keep_results};
        const auto options_of = [&](const Job&) { return o.job; };
        if (auto done = writer.add_all_to(made.job_, std::span{&job, 1}, options_of, true); !done)
            return std::move(done.error());
        o.job = {};
        made.options_ = std::move(o);
        made.lane_ = Composition::template lane_of<Job>;
        return made;
    }

    const std::string& name() const noexcept { return options_.name; }
    /// The views live as long as this.
    schedule_definition definition(const std::vector<lane_id>& lanes) const noexcept {
        return {.name = options_.name,
                .expression = expression_,
                .zone = options_.zone,
                .jitter = options_.jitter,
                .starts_at = options_.starts_at,
                .ends_at = options_.ends_at,
                .missed_count = options_.missed.most(),
                .missed_age = options_.missed.age(),
                .overlap = options_.overlap,
                .job = job_.request(lanes[lane_])};
    }

private:
    declared_schedule() = default;

    std::string expression_{};
    schedule_options options_{};
    enqueue_batch job_{};
    std::size_t lane_ = 0;
};

}  // namespace pgq::detail
