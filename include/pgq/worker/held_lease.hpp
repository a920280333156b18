#pragma once

#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/completion_queue.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// A lease that a worker holds. Its jobs run on other threads; everything else belongs to the worker's own thread.
struct held_lease {
    struct pending {
        std::uint32_t index = 0;
        job_result what{};
    };

    claimed_lease lease{};
    std::size_t type = 0;          ///< position of its job type in the composition
    std::size_t version = 0;       ///< which of the versions of that type
    std::size_t lane_index = 0;    ///< position of its lane in the composition
    worker_id worker{};            ///< whose lease it is
    lease_ref claimed{};           ///< as it was then; it may have moved
    bool limited = false;          ///< its lane has limits: its jobs overtake others
    std::uint32_t unfinished = 0;  ///< jobs whose handlers have not ended
    std::string left{};            ///< mask of the jobs that left it, as the database knows
    std::string done{};            ///< mask of those and of the jobs that are done but not acknowledged yet
    std::vector<pending> unsettled{};
    std::vector<settlement> items{};  ///< `unsettled` as the request shows it
    std::size_t shown = 0;            ///< how many of `unsettled` the request shows
    std::string mask{};               ///< the mask as the request shows it
    steady_time dirty_since{};
    bool dirty = false;
    bool lost = false;  ///< another worker has its jobs: nothing of it is acknowledged any more
    bool in_request = false;
    bool must_stay = false;             ///< has a job whose outcome cannot be stored: the lease must not end
    bool unlocated = false;             ///< an exchange has not found it: somebody else has ended it, or it has moved
    std::vector<std::int16_t> flags{};  ///< by index; empty while no job has any
    std::stop_source stop{};            ///< of the whole lease; kept for the next one, unless it was used
    std::vector<std::stop_source> stops{};          ///< by position, the same
    std::unique_ptr<std::atomic<bool>[]> taken {};  ///< for each job: who sets it runs it, or takes it back
    std::size_t taken_size = 0;
    std::atomic<bool> closing{false};          ///< its handler is about to end the lease in a transaction of its own
    std::atomic<std::uint32_t> void_tasks{0};  ///< tasks in the executor whose jobs were taken back

    void open(claimed_lease&& l, std::size_t job_type, std::size_t job_version) {
        lease = std::move(l);
        type = job_type;
        version = job_version;
        unfinished = static_cast<std::uint32_t>(lease.jobs.size());
        const std::size_t bytes = (lease.jobs.size() + 7) / 8;
        left.assign(bytes, '\0');
        done.assign(bytes, '\0');
        unsettled.clear();
        dirty = lost = in_request = must_stay = unlocated = false;
        claimed = lease.ref;
        closing.store(false, std::memory_order_relaxed);
        flags.clear();
        for (const job_record& j : lease.jobs)
            if (j.flags != 0) set_flags(j.index, j.flags);
        if (stop.stop_requested()) stop = std::stop_source{};
        if (stops.size() < lease.jobs.size()) stops.resize(lease.jobs.size());
        for (std::size_t i = 0; i < lease.jobs.size(); ++i)
            if (stops[i].stop_requested()) stops[i] = std::stop_source{};
        if (taken_size < lease.jobs.size()) {
            taken_size = lease.jobs.size() * 2;
            taken = std::make_unique<std::atomic<bool>[]>(taken_size);
        }
        for (std::size_t i = 0; i < lease.jobs.size(); ++i) taken[i].store(false, std::memory_order_relaxed);
    }
    /// From any thread: true for the first caller.
    bool take(std::uint32_t position) noexcept { return !taken[position].exchange(true, std::memory_order_relaxed); }
    void close() noexcept {
        lease.jobs.clear();
        lease.storage.reset();
    }

    /// Fires when the lease is lost, the job should stop, or the grace time is over.
    std::stop_token stop_token(std::uint32_t position) const noexcept { return stops[position].get_token(); }
    void stop_all() noexcept {
        stop.request_stop();
        for (std::size_t i = 0; i < lease.jobs.size(); ++i) stops[i].request_stop();
    }

    bool has_flag(std::uint32_t index, std::int16_t flag) const noexcept {
        return index < flags.size() && (flags[index] & flag) != 0;
    }
    void set_flags(std::uint32_t index, std::int16_t value) {
        if (flags.empty()) flags.assign(lease.jobs.size(), 0);
        flags[index] = value;
    }
    /// Somebody has changed the lease: some of its jobs are tracked now. From then on each end of a job is acknowledged
    /// by itself, because the database may know of more tracked jobs than we do.
    void apply(const lease_update& update) {
        lease.ref.location = update.ref.location;
        unlocated = false;
        for (std::uint32_t i = 0; i < update.flags.size() && i < lease.jobs.size(); ++i) {
            set_flags(i, update.flags[i]);
            if (!is_set(done, i) || is_set(left, i)) continue;
            clear(done, i);
            unsettled.push_back({i, {.tracked = true}});
        }
    }

    void finish(std::uint32_t position, job_result&& what, steady_time now) {
        --unfinished;
        const std::uint32_t index = lease.jobs[position].index;
        // A job that was discarded must not be recorded as done: its end may be read later.
        if (what.gone && flags.empty() && what.kind != settle_kind::discard) set(done, index);
        else unsettled.push_back({index, std::move(what)});
        if (!dirty) dirty_since = now;
        dirty = true;
    }

    /// Fills `items` and `mask` with the first `most` unsettled jobs and everything that is done. With `last` the lease
    /// ends: its jobs that are not in `items` are done then.
    void fill_request(std::size_t most, bool last) {
        items.clear();
        mask = done;
        shown = std::min(most, unsettled.size());
        for (std::size_t i = 0; i < shown; ++i) {
            const auto& p = unsettled[i];
            set(mask, p.index);
            if (last && p.what.kind == settle_kind::done && !p.what.result) continue;
            const bool called_off = p.what.exhausted && has_flag(p.index, flag_stop);
            items.push_back({p.index, called_off ? settle_kind::retry : p.what.kind, p.what.delay, p.what.reason,
                             p.what.result ? std::optional<std::string_view>{*p.what.result} : std::nullopt});
        }
    }
    /// The database has recorded what `fill_request` showed; `place` is where the row went.
    void acknowledged(std::uint64_t place) {
        left = done = mask;
        unsettled.erase(unsettled.begin(), unsettled.begin() + static_cast<std::ptrdiff_t>(shown));
        dirty = !unsettled.empty();
        lease.ref.location = place;
    }
    bool ends_with(std::size_t most) const noexcept {
        return unfinished == 0 && !must_stay && most == unsettled.size();
    }

    static void set(std::string& bits, std::uint32_t index) noexcept {
        bits[index / 8] = static_cast<char>(static_cast<unsigned char>(bits[index / 8]) | (1u << (index % 8)));
    }
    static void clear(std::string& bits, std::uint32_t index) noexcept {
        bits[index / 8] = static_cast<char>(static_cast<unsigned char>(bits[index / 8]) & ~(1u << (index % 8)));
    }
    static bool is_set(const std::string& bits, std::uint32_t index) noexcept {
        return ((static_cast<unsigned char>(bits[index / 8]) >> (index % 8)) & 1u) != 0;
    }
};

}  // namespace pgq::detail
