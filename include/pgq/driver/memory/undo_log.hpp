#pragma once

#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/driver/memory/waiting_jobs.hpp>
#include <pgq/job/id.hpp>
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

/// What a transaction has done so far, to be undone. What it takes is off the shelf at once, what it enqueues gets there when it
/// ends well; it alone can take that before.
class ledger {
public:
    /// A job of its own, and when it is due.
    struct pending {
        job what{};
        std::optional<time_point> due{};  ///< nothing: at once
    };

    void put(job j, std::optional<time_point> due) {
        log_.push_back({.kind = kind_of_entry::put, .what = j});
        pending_.push_back({std::move(j), due});
    }
    void took(const job& j) { log_.push_back({.kind = kind_of_entry::took, .what = j}); }
    void held(const job& j, std::string_view reason) {
        log_.push_back({.kind = kind_of_entry::held, .what = {.id = j.id}, .reason = std::string{reason}});
    }

    std::span<const pending> own() const noexcept { return pending_; }
    void take_own(job_id id) {
        const auto found = find(id);
        log_.push_back({.kind = kind_of_entry::took_own, .what = found->what});
        pending_.erase(found);
    }

    void savepoint() { points_.push_back(log_.size()); }
    void release_savepoint() { points_.pop_back(); }
    void rollback_to_savepoint(shelf& s, std::vector<lane_id>& touched) {
        undo(points_.back(), s, touched);
        points_.pop_back();
    }
    bool has_savepoint() const noexcept { return !points_.empty(); }

    void rollback(shelf& s, std::vector<lane_id>& touched) { undo(0, s, touched); }
    /// What it has taken is done, what it has put aside failed.
    void commit(stock& s, time_point now, std::vector<lane_id>& touched) {
        for (const entry& e : log_) {
            if (e.kind == kind_of_entry::took) s.end(e.what, end_kind::done, now, touched);
            if (e.kind == kind_of_entry::held) s.book().retell(e.what.id, e.reason);
        }
        for (auto& p : pending_) {
            touched.push_back(p.what.lane);
            p.due ? s.defer(std::move(p.what), *p.due) : s.put(std::move(p.what));
        }
    }

private:
    enum class kind_of_entry : std::uint8_t { put, took, took_own, held };
    struct entry {
        kind_of_entry kind = kind_of_entry::put;
        job what{};
        std::string reason{};
    };

    std::vector<pending>::iterator find(job_id id) {
        return std::find_if(pending_.begin(), pending_.end(), [&](const pending& p) { return p.what.id == id; });
    }
    void undo(std::size_t until, shelf& s, std::vector<lane_id>& touched) {
        for (; log_.size() > until; log_.pop_back()) {
            job& j = log_.back().what;
            switch (log_.back().kind) {
            case kind_of_entry::put: pending_.erase(find(j.id)); break;
            case kind_of_entry::took:
                touched.push_back(j.lane);
                s.put(std::move(j));
                break;
            case kind_of_entry::took_own: pending_.push_back({std::move(j), std::nullopt}); break;
            case kind_of_entry::held: (void)s.pull({&j.id, 1}); break;
            }
        }
    }

    std::vector<entry> log_{};
    std::vector<pending> pending_{};
    std::vector<std::size_t> points_{};
};

}  // namespace pgq::driver::in_memory
