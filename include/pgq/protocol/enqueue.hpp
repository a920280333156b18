#pragma once

#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/bodies.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pgq {

/// What the jobs of a request need to be stored, the cheapest first.
enum class insert_form : std::uint8_t {
    one,      ///< one job with nothing but a priority
    many,     ///< jobs that have nothing but one priority for all
    packed,   ///< the same, many jobs in a row
    any,      ///< times, headers or keys for limits
    tracked,  ///< unique keys, parents, expiry, a record of the end, a limit for the lane, or a request id
};

/// Jobs to enqueue into one lane. `options` has one element for all jobs or one for each job. `keys` has the key of
/// each job for keyed limits, or is absent.
struct enqueue_request {
    lane_id lane{};
    const pgq::bodies* bodies = nullptr;
    std::span<const enqueue_options> options{};
    const pgq::bodies* keys = nullptr;

    const enqueue_options& option(std::size_t i) const noexcept { return options[options.size() == 1 ? 0 : i]; }
    bool is_plain() const noexcept { return !has_keys() && options.size() == 1 && options[0].is_plain(); }
    /// Whether the jobs are stored in packs, many in one row. Then they share the cost of a row. But if a claim has no
    /// room for a whole pack, the jobs of that pack are copied into rows of their own first.
    bool packs() const noexcept {
        constexpr std::size_t fewest = 10, mean_bytes = 250;
        return is_plain() && options[0].packed && bodies->size() >= fewest &&
               bodies->total_bytes() <= mean_bytes * bodies->size();
    }
    bool is_tracked() const noexcept {
        return std::any_of(options.begin(), options.end(), [](const enqueue_options& o) { return o.is_tracked(); });
    }
    bool has_request_id() const noexcept {
        return std::any_of(options.begin(), options.end(),
                           [](const enqueue_options& o) { return o.request_id.is_set(); });
    }
    bool has_keys() const noexcept { return keys != nullptr && !keys->empty(); }
    /// The one place that decides it. A session that cannot pack, or not here, takes `packed` for `many`.
    insert_form form() const noexcept {
        if (is_tracked() || has_request_id()) return insert_form::tracked;
        if (!is_plain()) return insert_form::any;
        if (bodies->size() == 1) return insert_form::one;
        return packs() ? insert_form::packed : insert_form::many;
    }
};

}  // namespace pgq
