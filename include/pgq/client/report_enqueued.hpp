#pragma once

#include <pgq/concept/observer.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace pgq::detail {

/// Whether the observer of a composition wants to know of enqueues. If not, nobody counts.
template <class Composition>
inline constexpr bool reports_enqueues = observes<typename Composition::observer, event::jobs_enqueued>;

template <class Core>
void report_enqueued(Core& core, std::string_view entrypoint, std::size_t count, bool committed = true) noexcept {
    if (count != 0) notify(core.observer, event::jobs_enqueued{core.connection.name(), entrypoint, count, committed});
}

/// Of a flow: one event for each entrypoint, with its new jobs. `names[i]` is the entrypoint of `jobs[i]`.
template <class Core>
void report_enqueued(Core& core, std::span<const std::string_view> names, std::span<const enqueued_job> jobs) noexcept {
    for (std::size_t i = 0; i < names.size(); ++i) {
        const std::string_view mine = names[i];
        if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), mine) !=
            names.begin() + static_cast<std::ptrdiff_t>(i))
            continue;
        std::size_t count = 0;
        for (std::size_t k = i; k < names.size(); ++k) count += names[k] == mine && jobs[k].is_new ? 1 : 0;
        report_enqueued(core, mine, count);
    }
}

/// For async_enqueue, which may complete when the queue object is gone: then nobody is told.
template <class Job, class Core>
stored_report report_when_stored(Core& core) {
    return {.owner = std::shared_ptr<void>{core.link.lock(), &core},
            .call = [](void* owner, std::size_t count) noexcept {
                report_enqueued(*static_cast<Core*>(owner), entrypoint_of<Job>, count);
            }};
}

/// The jobs that a transaction has enqueued, until it commits.
template <bool Counts>
class uncommitted_jobs {
public:
    void add(std::string_view entrypoint, std::size_t count) { all_.push_back({entrypoint, count}); }
    /// For savepoints: forgets what was added since `size()` was this.
    void shrink(std::size_t size) noexcept { all_.resize(size); }
    std::size_t size() const noexcept { return all_.size(); }
    template <class Core>
    void report(Core& core) const noexcept {
        for (const auto& e : all_) report_enqueued(core, e.entrypoint, e.count);
    }

private:
    struct entry {
        std::string_view entrypoint{};
        std::size_t count = 0;
    };
    std::vector<entry> all_{};
};
template <>
class uncommitted_jobs<false> {
public:
    void add(std::string_view, std::size_t) noexcept {}
    void shrink(std::size_t) noexcept {}
    std::size_t size() const noexcept { return 0; }
    template <class Core>
    void report(Core&) const noexcept {}
};

}  // namespace pgq::detail
