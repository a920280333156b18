#pragma once

#include <pgq/worker/held_lease.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace pgq::detail {

template <class Key>
concept hashable = requires(const Key& k) {
    { std::hash<Key>{}(k) } -> std::convertible_to<std::size_t>;
    { k == k } -> std::convertible_to<bool>;
};

template <class Key>
concept orderable = requires(const Key& k) {
    { k < k } -> std::convertible_to<bool>;
};

/// Jobs of one type by a key: of those with an equal one only the first is let through, the others stand in line. A line exists
/// while its first job runs. `Owner` is a runner, which hears how many stand in line. From any thread.
template <class Key, class Owner>
class strands {
    struct place {
        held_lease* slot = nullptr;
        std::uint32_t position = 0;
        friend auto operator<=>(const place&, const place&) = default;
    };

public:
    struct line {
        strands* all = nullptr;
        Owner* owner = nullptr;
        const Key* key = nullptr;
        std::deque<place> waiting{};
    };

    /// Null when the job has to wait; what it waits for hands it out by `next`.
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
    /// The one that ran is over. The one behind it, or nothing, and then the line is no more.
    std::optional<std::pair<held_lease*, std::uint32_t>> next(line& l) {
        const std::lock_guard lock{mutex_};
        if (l.waiting.empty()) {
            lines_.erase(lines_.find(*l.key));
            return std::nullopt;
        }
        const place first = l.waiting.front();
        l.waiting.pop_front();
        l.owner->in_line.fetch_sub(1);
        return std::pair{first.slot, first.position};
    }

    /// For what ends elsewhere: which line a job is the first of.
    void remember(held_lease& slot, std::uint32_t position, line& l) {
        const std::lock_guard lock{mutex_};
        first_[{&slot, position}] = &l;
    }
    line* forget(held_lease& slot, std::uint32_t position) {
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
    std::map<place, line*> first_;
};

}  // namespace pgq::detail
