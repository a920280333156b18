#pragma once

#include <pgq/client/queue.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/context/taken.hpp>
#include <pgq/error/result.hpp>
#include <pgq/pull/get_job.hpp>
#include <pgq/pull/get_range.hpp>
#include <pgq/pull/poller.hpp>

#include <optional>
#include <utility>

namespace pgq::detail {

/// The implementation of the members of pgq::queue that take jobs: `get`, `items`, `poll`, `take`.
template <class Composition>
struct pull_calls {
    using core_type = queue_core<Composition>;

    template <class Job>
    static result<std::optional<taken<Job>>> get(core_type& core, const get_options& options) {
        return get_job<Composition, Job>(core, options);
    }
    template <class Job, class Queue>
    static get_range<Queue, Job> items(Queue& queue, get_options options) {
        return {queue, std::move(options)};
    }
    template <class Job, class Queue>
    static poller<Queue, Job> poll(Queue& queue, poll_options options) {
        return poller<Queue, Job>{queue, std::move(options)};
    }
    template <class Job, class Tx>
    static result<std::optional<taken<Job>>> take(core_type& core, Tx& tx, const take_options& options) {
        caller_session<Tx, driver_of<Composition>> inside{&tx, &core.connection};
        return take_inside<Composition, Job>(inside, core, options, inside.limit);
    }
};

}  // namespace pgq::detail
