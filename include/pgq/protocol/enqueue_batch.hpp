#pragma once

#include <pgq/job/header.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/options.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/protocol/enqueue.hpp>

#include <cstddef>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// Who is told that a batch is stored, with the number of its jobs.
struct stored_report {
    std::weak_ptr<void> owner{};  ///< nobody is told when it is gone
    void (*call)(void* owner, std::size_t jobs) noexcept = nullptr;
};

/// Jobs for one lane that own every text they refer to, for asynchronous calls that return before they complete.
class enqueue_batch {
public:
    enqueue_batch() = default;
    enqueue_batch(enqueue_batch&&) = default;
    enqueue_batch& operator=(enqueue_batch&&) = default;

    bodies& written() noexcept { return bodies_; }
    bodies& keys() noexcept { return keys_; }

    /// Adds the options of the next job. A batch with one element uses it for all jobs.
    void add_options(enqueue_options o) {
        if (!o.headers.empty()) {
            std::vector<header> copies;
            for (const header& h : o.headers) copies.push_back({keep(h.name), keep(h.value)});
            o.headers = headers_.emplace_back(std::move(copies));
        }
        if (o.unique_key.is_set()) o.unique_key = o.unique_key.with_key(keep(o.unique_key.key()));
        if (o.request_id.is_set()) o.request_id = keep(o.request_id.text());
        if (!o.after.empty()) o.after = parents_.emplace_back(o.after.begin(), o.after.end());
        options_.push_back(o);
    }
    /// Makes job number `i`, counted from 0, wait for these jobs too.
    void add_parents(std::size_t i, std::span<const job_id> more) {
        auto& all = parents_.emplace_back(options_[i].after.begin(), options_[i].after.end());
        all.insert(all.end(), more.begin(), more.end());
        options_[i].after = all;
    }
    bool has_options() const noexcept { return !options_.empty(); }
    std::span<const enqueue_options> options() const noexcept { return options_; }

    bool empty() const noexcept { return bodies_.empty(); }
    std::size_t size() const noexcept { return bodies_.size(); }
    enqueue_request request(lane_id lane) const noexcept {
        return {.lane = lane, .bodies = &bodies_, .options = options_, .keys = &keys_};
    }

    void when_stored(stored_report r) noexcept { report_ = std::move(r); }
    /// The driver calls it once, when the jobs are stored.
    void stored(std::size_t jobs) const noexcept {
        if (report_.call == nullptr) return;
        if (const auto owner = report_.owner.lock()) report_.call(owner.get(), jobs);
    }

private:
    std::string_view keep(std::string_view text) { return texts_.emplace_back(text); }

    bodies bodies_;
    bodies keys_;
    std::vector<enqueue_options> options_;
    std::deque<std::vector<header>> headers_;
    std::deque<std::string> texts_;
    std::deque<std::vector<job_id>> parents_;
    stored_report report_{};
};

}  // namespace pgq
