#pragma once

#include <pgq/job/bodies.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// Jobs for one lane with everything they refer to, for calls that go on after they have returned.
class enqueue_batch {
public:
    enqueue_batch() = default;
    enqueue_batch(enqueue_batch&&) = default;
    enqueue_batch& operator=(enqueue_batch&&) = default;

    bodies& written() noexcept { return bodies_; }
    bodies& keys() noexcept { return keys_; }

    /// For the next job, or for all.
    void add_options(enqueue_options o) {
        if (!o.headers.empty()) {
            std::vector<header> mine;
            for (const header& h : o.headers) mine.push_back({keep(h.name), keep(h.value)});
            o.headers = headers_.emplace_back(std::move(mine));
        }
        options_.push_back(o);
    }
    bool has_options() const noexcept { return !options_.empty(); }

    bool empty() const noexcept { return bodies_.empty(); }
    enqueue_request request(lane_id lane) const noexcept {
        return {.lane = lane, .bodies = &bodies_, .options = options_, .keys = &keys_};
    }

private:
    std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

    bodies bodies_;
    bodies keys_;
    std::vector<enqueue_options> options_;
    std::deque<std::vector<header>> headers_;
    std::deque<std::string> texts_;
};

}  // namespace pgq
