#pragma once

#include <pgq/diagnostic/serving.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/client/queue.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/compose/composition.hpp>
#include <pgq/compose/served_jobs.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/lane.hpp>

#include <memory>
#include <span>
#include <type_traits>

namespace pgq {

/// The same queue for a worker that runs only the jobs of these types. `serving` makes it.
template <class Queue, class... Jobs>
class queue_part : public Queue {
public:
    using served_jobs = detail::type_list<Jobs...>;
    using Queue::Queue;

    /// For workers: the names of the lanes of these types.
    result<std::span<const lane_name>> lane_names() const {
        if (auto all = Queue::lane_names(); !all) return all;
        return std::span<const lane_name>{detail::lanes_of_jobs<typename Queue::composition_type, served_jobs>::names};
    }
};

namespace detail {

/// What `serving` returns after a mistake, so that its message stays the only one.
struct refused_part {
    using composition_type = composition<>;
    using driver_type = no_driver;
    std::shared_ptr<queue_core<composition_type>> shared_core() const noexcept { return nullptr; }
};

}  // namespace detail

/// A part of a queue for a worker: `pgq::worker w{pgq::serving<mail, resize>(jobs), handlers...}` claims and runs jobs
/// of these types only, and needs handlers for no others. Other workers serve the rest.
template <class... Jobs, class Queue>
auto serving(Queue&& queue) {
    using queue_type = std::remove_reference_t<Queue>;
    using composition = typename queue_type::composition_type;
    if constexpr (!composition::valid) return detail::refused_part{};
    else if constexpr (!diagnostic::require_mutable_queue<queue_type>()) return detail::refused_part{};
    else if constexpr (!diagnostic::require_served_jobs<composition, Jobs...>()) return detail::refused_part{};
    else return queue_part<queue_type, Jobs...>{queue.shared_core()};
}

}  // namespace pgq
