#pragma once

#include <pgq/driver/memory/table/job.hpp>
#include <pgq/driver/memory/table/job_store.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::in_memory {

/// What a transaction has done so far, and how to undo it. Jobs that it takes leave the store at once. Jobs that it
/// enqueues enter the store at the commit; until then only this transaction can take them.
class undo_log {
public:
    /// A job that this transaction has enqueued.
    struct pending_job {
        job what{};
        std::optional<time_point> due{};  ///< none: at once
    };

    void record_enqueue(job j, std::optional<time_point> due) {
        log_.push_back({.kind = step::enqueue, .what = j});
        pending_.push_back({std::move(j), due});
    }
    void record_take(const job& j) { log_.push_back({.kind = step::take, .what = j}); }
    void record_hold(const job& j, std::string_view reason) {
        log_.push_back({.kind = step::hold, .what = {.id = j.id}, .reason = std::string{reason}});
    }

    std::span<const pending_job> pending() const noexcept { return pending_; }
    void take_pending(job_id id) {
        const auto found = find(id);
        log_.push_back({.kind = step::take_pending, .what = found->what});
        pending_.erase(found);
    }

    void savepoint() { savepoints_.push_back(log_.size()); }
    void release_savepoint() { savepoints_.pop_back(); }
    void rollback_to_savepoint(job_store& jobs) {
        undo(savepoints_.back(), jobs);
        savepoints_.pop_back();
    }
    bool has_savepoint() const noexcept { return !savepoints_.empty(); }

    void rollback(job_store& jobs) { undo(0, jobs); }
    /// Ends the jobs that the transaction took: they are done, or held. Stores the jobs that it enqueued.
    void commit(job_store& jobs, time_point now) {
        for (const entry& e : log_) {
            if (e.kind == step::take) jobs.end(e.what, end_kind::done, now);
            if (e.kind == step::hold) jobs.tracked().change_to_held(e.what.id, e.reason);
        }
        for (auto& p : pending_) {
            jobs.touch(p.what.lane);
            p.due ? jobs.defer(std::move(p.what), *p.due) : jobs.add_ready(std::move(p.what));
        }
    }

private:
    enum class step : std::uint8_t { enqueue, take, take_pending, hold };
    struct entry {
        step kind = step::enqueue;
        job what{};
        std::string reason{};
    };

    std::vector<pending_job>::iterator find(job_id id) {
        return std::find_if(pending_.begin(), pending_.end(), [&](const pending_job& p) { return p.what.id == id; });
    }
    void undo(std::size_t until, job_store& jobs) {
        for (; log_.size() > until; log_.pop_back()) {
            job& j = log_.back().what;
            switch (log_.back().kind) {
            case step::enqueue: pending_.erase(find(j.id)); break;
            case step::take:
                jobs.touch(j.lane);
                jobs.add_ready(std::move(j));
                break;
            case step::take_pending: pending_.push_back({std::move(j), std::nullopt}); break;
            case step::hold: (void)jobs.remove({&j.id, 1}); break;
            }
        }
    }

    std::vector<entry> log_{};
    std::vector<pending_job> pending_{};
    std::vector<std::size_t> savepoints_{};
};

}  // namespace pgq::driver::in_memory
