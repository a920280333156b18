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

/// Lets jobs of one type with equal keys run one after the other. The first job of a key runs, the others wait in its
/// line. A line exists while its first job runs. `Owner` is a runner; its `in_line` counts the jobs that wait. From any
/// thread.
template <class Key, class Owner>
class strands {
    struct waiting_job {
        held_lease* slot = nullptr;
        std::uint32_t position = 0;
        friend auto operator<=>(const waiting_job&, const waiting_job&) = default;
    };

public:
    struct line {
        strands* all = nullptr;
        Owner* owner = nullptr;
        const Key* key = nullptr;
        std::deque<waiting_job> waiting{};
    };

    /// Null if the job has to wait: `next` gives it out later.
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
    /// The first job of the line has ended. Gives the job that is first now; nothing ends the line, and `l` is gone.
    std::optional<std::pair<held_lease*, std::uint32_t>> next(line& l) {
        const std::lock_guard lock{mutex_};
        if (l.waiting.empty()) {
            lines_.erase(lines_.find(*l.key));
            return std::nullopt;
        }
        const waiting_job first = l.waiting.front();
        l.waiting.pop_front();
        l.owner->in_line.fetch_sub(1);
        return std::pair{first.slot, first.position};
    }

    /// For jobs that end in another function than they began in: which line the job is the first of.
    void remember_line(held_lease& slot, std::uint32_t position, line& l) {
        const std::lock_guard lock{mutex_};
        first_[{&slot, position}] = &l;
    }
    /// Null if the job is not the first of a line.
    line* take_line(held_lease& slot, std::uint32_t position) {
        const std::lock_guard lock{mutex_};
        const auto found = first_.find({&slot, position});
        if (found == first_.end()) return nullptr;
        line* const l = found->second;
        first_.erase(found);
        return l;
    }

private:
    using line_map = typename std::conditional_t<hashable<Key>, std::type_identity<std::unordered_map<Key, line>>,
                                                 std::type_identity<std::map<Key, line>>>::type;
    std::mutex mutex_;
    line_map lines_;
    std::map<waiting_job, line*> first_;
};

}  // namespace pgq::detail
