#pragma once

#include <pgq/compose/composition.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/protocol/lane.hpp>

#include <array>
#include <cstddef>

namespace pgq::detail {

/// The job types that a worker of `Queue` runs: those that the queue type lists as `served_jobs`, else all.
template <class Queue>
struct served_jobs {
    using type = typename Queue::composition_type::jobs;
};
template <class Queue>
    requires requires { typename Queue::served_jobs; }
struct served_jobs<Queue> {
    using type = typename Queue::served_jobs;
};
template <class Queue>
using served_jobs_t = typename served_jobs<Queue>::type;

/// Whether the job type at this position of the composition is one of `Jobs`.
template <class Composition, class... Jobs>
constexpr bool is_among(type_list<Jobs...>, std::size_t job) noexcept {
    return ((Composition::template index_of<Jobs> == job) || ...);
}

/// The lanes of some job types of a composition, in the order of the composition.
template <class Composition, class Jobs>
struct lanes_of_jobs {
    static constexpr std::size_t count = [] {
        std::size_t n = 0;
        for (const auto& l : Composition::lanes) n += is_among<Composition>(Jobs{}, l.job) ? 1 : 0;
        return n;
    }();
    static constexpr std::array<lane_entry, count> entries = [] {
        std::array<lane_entry, count> lanes{};
        std::size_t at = 0;
        for (const auto& l : Composition::lanes)
            if (is_among<Composition>(Jobs{}, l.job)) lanes[at++] = l;
        return lanes;
    }();
    static constexpr std::array<lane_name, count> names = names_of(entries);
};

/// The lanes that a worker of `Queue` claims from.
template <class Queue>
inline constexpr auto& served_lanes_of = lanes_of_jobs<typename Queue::composition_type, served_jobs_t<Queue>>::entries;

}  // namespace pgq::detail
