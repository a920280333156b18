#pragma once

#include <pgq/concept/transaction.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/transaction/session_pool.hpp>
#include <pgq/transaction/transaction.hpp>

#include <array>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace pgq::detail {

/// The transaction in which a handler is called, with its session from the pool. One thread at a time uses it. The
/// transaction is rolled back if it is neither committed nor rolled back before the destructor.
template <class Composition>
class handler_scope {
    using pool_type = session_pool<Composition>;
    using session_type = typename pool_type::session_type;

public:
    handler_scope() = default;
    handler_scope(const handler_scope&) = delete;
    handler_scope& operator=(const handler_scope&) = delete;
    ~handler_scope() { roll_back(); }

    /// Takes a session of the pool and begins the transaction.
    result<void> begin(pool_type& pool) {
        roll_back();
        auto begun = pool.begin();
        if (!begun) return std::move(begun.error());
        pool_ = &pool;
        session_.emplace(std::move(*begun));
        transaction_.emplace(pool.core(), **session_, pool.lanes(), session_->limit());
        return {};
    }
    bool is_open() const noexcept { return session_.has_value(); }
    basic_transaction<Composition>& operator*() noexcept { return *transaction_; }

    void roll_back() noexcept {
        if (!session_) return;
        try {
            if ((*session_)->rollback()) pool_->give_back(std::move(*session_));
        } catch (...) {  // without memory the session closes, and the server rolls back
        }
        close();
    }

    /// Acknowledges the one job of the lease as done, with the serialized result `written`, and commits. After an error
    /// the transaction is rolled back, and the lease is as it was. If the connection breaks, it asks through another
    /// session whether the commit happened, and repeats that until a token of `stops` fires: then `unknown`.
    result<lease_end> commit(worker_id worker, const lease_ref& lease, const std::optional<std::string>& written,
                             const std::array<std::stop_token, 2>& stops) {
        if (const auto failed = transaction_->failed()) {
            roll_back();
            return *failed;
        }
        auto ended = (*session_)->commit_acknowledging(worker, lease, written);
        if (ended && !*ended) return check_lease(worker, lease);
        if (ended) {
            transaction_->report_committed();
            pool_->give_back(std::move(*session_));
            close();
            return lease_end::ended;
        }
        error_info why = std::move(ended.error());
        if (!ends_session(why)) {
            roll_back();
            return why;
        }
        session_.reset();
        // The connection broke before the answer came.
        const auto still_owned = pool_->owns_lease(worker, lease, stops);
        if (still_owned && !*still_owned) transaction_->report_committed();
        close();
        if (!still_owned) return lease_end::unknown;
        if (*still_owned) return why;
        return lease_end::ended;
    }

private:
    // The commit did not find the lease. Either the worker has lost it, or another session changes it at this moment: a
    // program asks the job to stop, or begins to wait for it. Then the caller may try again.
    result<lease_end> check_lease(worker_id worker, const lease_ref& lease) {
        const auto owned = (*session_)->owns_lease(worker, lease);
        const bool lost = owned && !*owned;
        if (owned) pool_->give_back(std::move(*session_));
        close();
        if (lost) return lease_end::lost;
        return error_info{make_sqlstate("40001"), "its lease was changed at the same moment"};
    }
    void close() noexcept {
        transaction_.reset();
        session_.reset();
    }

    pool_type* pool_ = nullptr;
    std::optional<session_type> session_{};
    std::optional<basic_transaction<Composition>> transaction_{};
};

}  // namespace pgq::detail
