#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>

namespace pgq::executor {

/// Runs jobs with the same value of a member one at a time, in the order in which the worker starts them. Jobs with
/// other values run at the same time: `pgq::job<resize, executor::strand_by<&resize::album>>`. Only an entrypoint may
/// have it.
///
/// It orders jobs within one worker. For all workers together use limiter::serialized_by. During a `retrying`, inside
/// or around it, a job keeps its turn. A job that fails or is snoozed goes back to the database, and the next job runs.
///
/// The type of the member must have a std::hash and `==`, or `<`. `Member` may also be a const member function without
/// parameters. A job that waits for its turn uses no thread, but the worker has claimed it. The worker reads each
/// payload twice, the first time in its own thread.
template <auto Member, executor_policy Inner = default_inner>
class strand_by : public decorator<Inner> {
public:
    static constexpr auto strand_member = Member;

    using decorator<Inner>::decorator;
};

}  // namespace pgq::executor
