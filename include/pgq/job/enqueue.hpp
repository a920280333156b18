#pragma once

#include <pgq/job/bodies.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>

#include <algorithm>
#include <cstddef>
#include <span>

namespace pgq {

/// Jobs for one lane. `options` has one element for all jobs or one for each; `keys`, what keyed limits tell jobs apart by, has
/// one for each or is absent.
struct enqueue_request {
    lane_id lane{};
    const pgq::bodies* bodies = nullptr;
    std::span<const enqueue_options> options{};
    const pgq::bodies* keys = nullptr;

    const enqueue_options& option(std::size_t i) const noexcept { return options[options.size() == 1 ? 0 : i]; }
    bool is_plain() const noexcept { return !has_keys() && options.size() == 1 && options[0].is_plain(); }
    bool is_tracked() const noexcept {
        return std::any_of(options.begin(), options.end(), [](const enqueue_options& o) { return o.is_tracked(); });
    }
    bool has_keys() const noexcept { return keys != nullptr && !keys->empty(); }
};

}  // namespace pgq
