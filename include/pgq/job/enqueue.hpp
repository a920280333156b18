#pragma once

#include <pgq/job/bodies.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>

#include <span>

namespace pgq {

/// Jobs for one lane. `options` has one element for all jobs or one for each.
struct enqueue_request {
    lane_id lane{};
    const pgq::bodies* bodies = nullptr;
    std::span<const enqueue_options> options{};

    const enqueue_options& option(std::size_t i) const noexcept { return options[options.size() == 1 ? 0 : i]; }
    bool is_plain() const noexcept { return options.size() == 1 && options[0].is_plain(); }
};

}  // namespace pgq
