#pragma once

#include <pgq/compose/strand_key.hpp>
#include <pgq/worker/held_lease.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace pgq::detail {

/// Lets jobs of one type with equal keys run one after the other. One job of a key runs, the others wait in the line of
/// the key. A line exists as long as a job of its key runs. `Owner` is a job_runner; its `in_line` counts the jobs that
/// wait. Any thread may call the members.
template <class Key, class Owner>
class strands {
    struct job_ref {
        held_lease* slot = nullptr;
        std::uint32_t position = 0;
        friend auto operator<=>(const job_ref&, const job_ref&) = default;
    };

public:
    struct line {
        strands* all = nullptr;
        Owner* owner = nullptr;
        const Key* key = nullptr;
        std::deque<job_ref> waiting{};
    };

    /// Adds a job. Returns the line if the job may run now, or null if it has to wait: next() returns it later.
    line* enter(Key key, Owner& owner, held_lease& slot, std::uint32_t position) {
        const std::lock_guard lock{mutex_};
        const auto [at, is_new] = lines_.try_emplace(std::move(key));
        if (!is_new) {
            at->second.waiting.push_back({&slot, position});
            owner.in_line.fetch_add(1);
            return nullptr;
        }
        at->second.all = this;
        at->second.owner = &owner;
        at->second.key = &at->first;
        return &at->second;
    }
    /// The running job of the line has ended. Returns the job that may run now. If none waits, returns nothing and
    /// destroys `l`.
    std::optional<std::pair<held_lease*, std::uint32_t>> next(line& l) {
        const std::lock_guard lock{mutex_};
        if (l.waiting.empty()) {
            lines_.erase(lines_.find(*l.key));
            return std::nullopt;
        }
        const job_ref first = l.waiting.front();
        l.waiting.pop_front();
        l.owner->in_line.fetch_sub(1);
        return std::pair{first.slot, first.position};
    }

    /// For coroutines, which end in another function than they began in: stores the line of the running job.
    void remember_line(held_lease& slot, std::uint32_t position, line& l) {
        const std::lock_guard lock{mutex_};
        line_of_running_[{&slot, position}] = &l;
    }
    /// Returns the stored line of the job and forgets it. Null if none is stored.
    line* take_line(held_lease& slot, std::uint32_t position) {
        const std::lock_guard lock{mutex_};
        const auto found = line_of_running_.find({&slot, position});
        if (found == line_of_running_.end()) return nullptr;
        line* const l = found->second;
        line_of_running_.erase(found);
        return l;
    }

private:
    using line_map = typename std::conditional_t<hashable<Key>, std::type_identity<std::unordered_map<Key, line>>,
                                                 std::type_identity<std::map<Key, line>>>::type;
    std::mutex mutex_;
    line_map lines_;
    std::map<job_ref, line*> line_of_running_;
};

}  // namespace pgq::detail
