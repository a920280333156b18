#pragma once

#include <pgq/job/stop_reason.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/worker/completion_queue.hpp>
#include <pgq/worker/job_counters.hpp>

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

/// A lease that a worker holds: which of its jobs run, have ended, are acknowledged. Only the worker's own thread uses
/// it, except for `marks`, `stops`, `stopped_by`, `closing` and `revoked_tasks`: the threads that run its jobs use
/// these, too.
///
/// A job has a `position` in `lease.jobs`, and an `index` in the lease row (job_record::index). Masks have one bit for
/// each index, and `flags` one element.
struct held_lease {
    /// A job whose result the database does not have yet.
    struct pending {
        std::uint32_t index = 0;
        job_result what{};
    };

    claimed_lease lease{};
    std::size_t type = 0;               ///< position of its job type in the composition
    std::size_t version = 0;            ///< which of the versions of that type
    std::size_t lane_index = 0;         ///< position of its lane in the composition
    std::string_view queue{};           ///< the name of its queue
    std::string_view entrypoint{};      ///< of its lane
    worker_id worker{};                 ///< the worker that claimed it
    lease_ref claimed{};                ///< id and row location at the claim; `lease.ref` has the present row location
    lane_counters* counters = nullptr;  ///< of its lane; null: nothing is counted
    bool limited = false;               ///< its lane has limits: its jobs start before those of other lanes
    std::size_t bytes = 0;              ///< of all payloads of the lease, and of `settled`: they are freed together
    std::uint32_t unfinished = 0;       ///< number of jobs that run or have not started
    std::string left{};  ///< mask: the jobs that are acknowledged, and so have left the row in the database
    std::string done{};  ///< mask: `left`, and the jobs that are plainly done but not acknowledged yet
    std::vector<pending> unsettled{};  ///< jobs that have ended and need a settlement: other outcomes, or tracked
    std::vector<settlement> items{};   ///< the settlements in the request: of the first `shown` of `unsettled`
    /// Settlements that are acknowledged, while other jobs run: a crash of the server may undo them, see recover().
    std::vector<pending> settled{};
    std::string counted{};  ///< mask: jobs that are counted in the statistics already; empty: none but those in `left`
    std::size_t shown = 0;  ///< how many of `unsettled` the request has
    std::string mask{};     ///< the mask in the request
    steady_time dirty_since{};
    bool has_left = false;    ///< `left` has a bit
    bool dirty = false;       ///< some of its jobs have ended and are not acknowledged
    bool lost = false;        ///< the worker does not hold it any more, and acknowledges none of its jobs
    bool in_request = false;  ///< the present request acknowledges some of its jobs
    bool must_stay = false;   ///< it has a job whose outcome cannot be stored: the lease must not end
    bool paused = false;      ///< its lane was paused at the latest refresh
    bool unlocated = false;   ///< a sync did not find its row: another session has ended it, or the row has moved
    std::vector<std::int16_t> flags{};      ///< by index; empty while no job has any
    std::vector<steady_time> expires_at{};  ///< by index; empty while no job expires
    std::stop_source stop{};                ///< of the whole lease; open() replaces it only if a stop was requested
    std::vector<std::stop_source> stops{};  ///< by position; open() replaces them as `stop`
    std::unique_ptr<std::atomic<std::uint8_t>[]> marks {};  ///< by position: the marks below
    std::size_t marks_size = 0;
    std::atomic<stop_reason> stopped_by{stop_reason::none};  ///< why stop_all() was called
    std::atomic<bool> closing{false};             ///< the handler's thread is ending the lease with its own statement
    std::atomic<std::uint32_t> revoked_tasks{0};  ///< tasks in the executor whose jobs were taken back

    /// Uses this object for another lease, with the memory of the former one. `claimed_at`: a time before the claim.
    void open(claimed_lease&& l, std::size_t job_type, std::size_t job_version, steady_time claimed_at) {
        lease = std::move(l);
        type = job_type;
        version = job_version;
        unfinished = static_cast<std::uint32_t>(lease.jobs.size());
        const std::size_t mask_size = (lease.jobs.size() + 7) / 8;
        left.assign(mask_size, '\0');
        done.assign(mask_size, '\0');
        unsettled.clear();
        settled.clear();
        counted.clear();
        has_left = dirty = lost = in_request = must_stay = paused = unlocated = false;
        claimed = lease.ref;
        closing.store(false, std::memory_order_relaxed);
        flags.clear();
        bytes = 0;
        for (const job_record& j : lease.jobs) {
            bytes += j.body.size();
            if (j.flags != 0) set_flags(j.index, j.flags);
        }
        expires_at.clear();
        for (const duration in : lease.expires_in)
            expires_at.push_back(in <= duration{}                        ? steady_time::min()
                                 : in >= steady_time::max() - claimed_at ? steady_time::max()
                                                                         : claimed_at + in);
        if (stop.stop_requested()) stop = std::stop_source{};
        if (stops.size() < lease.jobs.size()) stops.resize(lease.jobs.size());
        for (std::size_t i = 0; i < lease.jobs.size(); ++i)
            if (stops[i].stop_requested()) stops[i] = std::stop_source{};
        stopped_by.store(stop_reason::none, std::memory_order_relaxed);
        if (marks_size < lease.jobs.size()) {
            marks_size = lease.jobs.size() * 2;
            marks = std::make_unique<std::atomic<std::uint8_t>[]>(marks_size);
        }
        for (std::size_t i = 0; i < lease.jobs.size(); ++i) marks[i].store(0, std::memory_order_relaxed);
    }
    /// Whether some of its jobs go back with the next sync.
    bool gives_back() const noexcept {
        return std::any_of(unsettled.begin(), unsettled.end(), [](const pending& p) { return goes_back(p.what); });
    }
    /// From any thread. True for the first caller: it alone runs the job, or gives it back.
    bool take(std::uint32_t position) noexcept {
        return (marks[position].fetch_or(taken_mark, std::memory_order_relaxed) & taken_mark) == 0;
    }
    /// The task of a job that was taken back is no more: the last access to the slot.
    void drop_task() noexcept { revoked_tasks.fetch_sub(1, std::memory_order_release); }
    bool is_taken(std::uint32_t position) const noexcept {
        return (marks[position].load(std::memory_order_relaxed) & taken_mark) != 0;
    }
    /// From any thread: from when on the job must not begin any more; steady_time::max() if it does not expire.
    steady_time expiry(std::uint32_t position) const noexcept {
        return expires_at.empty() ? steady_time::max() : expires_at[lease.jobs[position].index];
    }
    /// Frees the payloads and results.
    void close() noexcept {
        lease.jobs.clear();
        lease.storage.reset();
        settled.clear();
    }

    /// Fires when the lease is lost, the job should stop, or the grace time is over.
    std::stop_token stop_token(std::uint32_t position) const noexcept { return stops[position].get_token(); }
    /// From any thread: why stop_token() fired. The reason is there before it fires, and the first one stays.
    stop_reason why_stopped(std::uint32_t position) const noexcept {
        const std::uint8_t mark = marks[position].load(std::memory_order_acquire);
        if ((mark & overlap_mark) != 0) return stop_reason::schedule_overlap;
        if ((mark & cancelled_mark) != 0) return stop_reason::cancelled;
        return stopped_by.load(std::memory_order_acquire);
    }
    /// `why`: cancelled or schedule_overlap. True for the first call, unless the token has fired for another reason.
    bool cancel(std::uint32_t position, stop_reason why) noexcept {
        const auto mark = why == stop_reason::schedule_overlap ? overlap_mark : cancelled_mark;
        if (stopped_by.load(std::memory_order_relaxed) == stop_reason::none)
            marks[position].fetch_or(mark, std::memory_order_release);
        return stops[position].request_stop();
    }
    /// Whether the job has ended, and the database has not been told yet.
    bool is_unsettled(std::uint32_t index) const noexcept {
        return std::any_of(unsettled.begin(), unsettled.end(), [&](const pending& p) { return p.index == index; });
    }
    void stop_all(stop_reason why) noexcept {
        auto first = stop_reason::none;
        stopped_by.compare_exchange_strong(first, why);
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
    /// What the database has. Another session may have changed the lease: some of its jobs are tracked now, or should
    /// stop. Jobs that are done and not acknowledged yet need a settlement now, because the database may have more
    /// tracked jobs than this worker knows. The caller compares the progress first: see recover().
    void apply(const lease_update& update) {
        lease.ref.location = update.ref.location;
        unlocated = false;
        paused = update.paused;
        for (std::uint32_t i = 0; i < update.flags.size() && i < lease.jobs.size(); ++i) {
            set_flags(i, update.flags[i]);
            if (!is_set(done, i) || is_set(left, i)) continue;
            clear(done, i);
            unsettled.push_back({i, {.tracked = true}});
        }
    }

    /// The job has run, or the worker gives it back.
    void finish(std::uint32_t position, job_result&& what, steady_time now) {
        --unfinished;
        const std::uint32_t index = lease.jobs[position].index;
        // A discarded job gets a settlement. Without one the database would record "done" as its outcome.
        if (what.gone && flags.empty() && what.kind == settle_kind::done) set(done, index);
        else unsettled.push_back({index, std::move(what)});
        if (!dirty) dirty_since = now;
        dirty = true;
    }

    /// Fills `items` and `mask` for the request, with at most `most` unsettled jobs and all jobs that are done. `last`:
    /// the request ends the lease, and the database records each job that is not in `items` as done.
    void fill_request(std::size_t most, bool last) {
        items.clear();
        mask = done;
        shown = std::min(most, unsettled.size());
        for (std::size_t i = 0; i < shown; ++i) {
            const auto& p = unsettled[i];
            set(mask, p.index);
            if (last && p.what.kind == settle_kind::done && !p.what.result) continue;
            // A cancelled job whose last attempt failed: the database turns a retry of it into "cancelled", not a hold.
            const bool cancelled = p.what.exhausted && has_flag(p.index, flag_stop);
            items.push_back({p.index, cancelled ? settle_kind::retry : p.what.kind, p.what.delay, p.what.reason,
                             p.what.result ? std::optional<std::string_view>{*p.what.result} : std::nullopt});
        }
    }
    /// For lease_progress::left.
    std::string_view former_mask() const noexcept { return has_left ? std::string_view{left} : std::string_view{}; }
    /// The database has recorded what fill_request() filled in. Others may have ended since. `location`: the present
    /// row location.
    void acknowledged(std::uint64_t location) {
        left = mask;
        for (std::size_t i = 0; i < done.size(); ++i) done[i] = static_cast<char>(done[i] | mask[i]);
        has_left = true;
        const auto end = unsettled.begin() + static_cast<std::ptrdiff_t>(shown);
        if (unfinished > 0 || end != unsettled.end())
            std::for_each(unsettled.begin(), end, [&](pending& p) { keep(p); });
        unsettled.erase(unsettled.begin(), end);
        dirty = !unsettled.empty() || done != left;
        lease.ref.location = location;
    }
    /// `stored`: the mask that the database has. A crash of the server has undone commits that it had answered, because
    /// those of workers do not wait for the disk: what they recorded is unsettled again. Jobs that the database has as
    /// settled are settled.
    void recover(std::string stored, steady_time now) {
        stored.resize(left.size());
        for (std::uint32_t i = 0; stored != left && i < lease.jobs.size(); ++i) {
            if (is_set(stored, i) == is_set(left, i)) continue;
            if (is_set(stored, i)) take_out(unsettled, i), set(left, i), set(done, i);
            else reopen(i, now);
        }
        has_left = stored.find_first_not_of('\0') != std::string::npos;
    }
    /// Whether a request with `most` of the unsettled jobs ends the lease: no others remain.
    bool ends_with(std::size_t most) const noexcept {
        return unfinished == 0 && !must_stay && most == unsettled.size();
    }

    static constexpr std::uint8_t taken_mark = 1;      ///< the thread that sets it runs the job or returns it
    static constexpr std::uint8_t cancelled_mark = 2;  ///< somebody cancelled the job
    static constexpr std::uint8_t overlap_mark = 4;    ///< the next tick of its schedule cancelled the job

    static void set(std::string& bits, std::uint32_t index) noexcept {
        bits[index / 8] = static_cast<char>(static_cast<unsigned char>(bits[index / 8]) | (1u << (index % 8)));
    }
    static void clear(std::string& bits, std::uint32_t index) noexcept {
        bits[index / 8] = static_cast<char>(static_cast<unsigned char>(bits[index / 8]) & ~(1u << (index % 8)));
    }
    static bool is_set(const std::string& bits, std::uint32_t index) noexcept {
        return ((static_cast<unsigned char>(bits[index / 8]) >> (index % 8)) & 1u) != 0;
    }

private:
    void keep(pending& p) {
        if (p.what.result) bytes += p.what.result->size();
        settled.push_back(std::move(p));
    }
    static std::optional<pending> take_out(std::vector<pending>& of, std::uint32_t index) {
        const auto at = std::find_if(of.begin(), of.end(), [&](const pending& p) { return p.index == index; });
        if (at == of.end()) return std::nullopt;
        std::optional<pending> taken{std::move(*at)};
        of.erase(at);
        return taken;
    }
    // It was acknowledged, and counted. A job without a settlement was plainly done.
    void reopen(std::uint32_t index, steady_time now) {
        clear(left, index);
        clear(done, index);
        counted.resize(left.size());
        set(counted, index);
        auto former = take_out(settled, index);
        unsettled.push_back(former ? std::move(*former) : pending{index, {}});
        if (!dirty) dirty_since = now;
        dirty = true;
    }
};

}  // namespace pgq::detail
