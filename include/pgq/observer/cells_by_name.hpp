#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::observer::detail {

/// The name of a set of counts: of an entrypoint in a queue, or of an entrypoint alone.
struct cell_name {
    std::string_view queue{};
    std::string_view name{};
};

/// A lock-free table of `Cells` by name that only grows. The first thread that needs a name adds it; only that
/// allocates. The address of the cells of a name stays the same until the table is destroyed. When the table has `most`
/// names, all further names share one set, whose name is "(other)".
template <class Cells>
class cells_by_name {
public:
    explicit cells_by_name(std::size_t most = SIZE_MAX) noexcept : most_{most} {}
    cells_by_name(const cells_by_name&) = delete;
    cells_by_name& operator=(const cells_by_name&) = delete;
    ~cells_by_name() {
        for (auto& bucket : buckets_)
            for (node* n = bucket.load(std::memory_order_acquire); n != nullptr;) delete std::exchange(n, n->next);
    }

    Cells& operator[](const cell_name& name) {
        const std::hash<std::string_view> hash;
        auto& bucket = buckets_[(hash(name.name) * 31 + hash(name.queue)) % buckets_.size()];
        node* const first = bucket.load(std::memory_order_acquire);
        if (node* known = find(first, nullptr, name)) return known->cells;
        if (names_.load(std::memory_order_relaxed) >= most_) return other();
        return add(bucket, first, name);
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (const auto& bucket : buckets_)
            for (const node* n = bucket.load(std::memory_order_acquire); n != nullptr; n = n->next)
                visit(n->queue, n->name, n->cells);
    }

private:
    struct node {
        node(const cell_name& n, node* behind) : queue{n.queue}, name{n.name}, next{behind} {}

        std::string queue;
        std::string name;
        node* next;
        Cells cells{};
    };
    static constexpr cell_name others{"(other)", "(other)"};

    static node* find(node* from, const node* until, const cell_name& name) noexcept {
        for (; from != until; from = from->next)
            if (from->name == name.name && from->queue == name.queue) return from;
        return nullptr;
    }
    // Threads that come here at once may add a few names more than `most_`.
    Cells& other() {
        auto& bucket = buckets_[0];
        node* const first = bucket.load(std::memory_order_acquire);
        if (node* known = find(first, nullptr, others)) return known->cells;
        return add(bucket, first, others);
    }
    Cells& add(std::atomic<node*>& bucket, node* first, const cell_name& name) {
        auto made = std::make_unique<node>(name, first);
        while (!bucket.compare_exchange_weak(made->next, made.get(), std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
            if (node* known = find(made->next, first, name)) return known->cells;
            first = made->next;
        }
        names_.fetch_add(1, std::memory_order_relaxed);
        return made.release()->cells;
    }

    std::array<std::atomic<node*>, 64> buckets_{};
    std::size_t most_;
    std::atomic<std::size_t> names_{0};
};

}  // namespace pgq::observer::detail
