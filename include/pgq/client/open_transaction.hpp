#pragma once

#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>

#include <atomic>
#include <utility>

namespace pgq::detail {

/// How many transactions of a queue object are open, in all threads.
using transaction_count = std::atomic<int>;

/// While this lives, its thread is inside of a transaction of a queue object. Scopes of a thread are nested.
class open_transaction {
public:
    explicit open_transaction(transaction_count& of) noexcept : of_{&of}, outer_{std::exchange(innermost, this)} {
        of_->fetch_add(1, std::memory_order_relaxed);
    }
    ~open_transaction() {
        of_->fetch_sub(1, std::memory_order_relaxed);
        innermost = outer_;
    }
    open_transaction(const open_transaction&) = delete;
    open_transaction& operator=(const open_transaction&) = delete;

    static bool in_this_thread(const transaction_count& of) noexcept {
        for (const open_transaction* t = innermost; t != nullptr; t = t->outer_)
            if (t->of_ == &of) return true;
        return false;
    }

private:
    static inline thread_local const open_transaction* innermost = nullptr;

    transaction_count* of_;
    const open_transaction* outer_;
};

/// Whether this thread is inside of a transaction of that queue object. Then an enqueue on another connection is
/// refused: the job would stay if the transaction rolls back. Costs one load while the object has no open transaction.
inline bool is_beside_transaction(const transaction_count& open) noexcept {
    return open.load(std::memory_order_relaxed) != 0 && open_transaction::in_this_thread(open);
}
inline error_info beside_transaction() {
    return {errc::invalid_option,
            "the queue object enqueues inside of its own transaction: the job would stay if that rolls back",
            "call enqueue of the transaction, tx.enqueue(job). Enqueue a job that must stay when the transaction has "
            "ended, or with another queue object"};
}

}  // namespace pgq::detail
