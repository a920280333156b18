#pragma once

#include <pgq/compose/handler_transaction.hpp>
#include <pgq/compose/transaction_desk.hpp>
#include <pgq/concept/transaction.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <array>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

namespace pgq::detail {

/// The transaction of one call of a handler.
template <class Composition>
class transaction_run {
    using desk_type = transaction_desk<Composition>;
    using session_type = typename desk_type::session_type;

public:
    transaction_run() = default;
    transaction_run(const transaction_run&) = delete;
    transaction_run& operator=(const transaction_run&) = delete;
    ~transaction_run() { roll_back(); }

    result<void> begin(desk_type& desk) {
        roll_back();
        auto begun = desk.begin();
        if (!begun) return std::move(begun.error());
        desk_ = &desk;
        session_.emplace(std::move(*begun));
        transaction_.emplace(*session_, desk.lanes());
        return {};
    }
    bool is_open() const noexcept { return session_.has_value(); }
    basic_transaction<Composition>& operator*() noexcept { return *transaction_; }

    void roll_back() noexcept {
        if (!session_) return;
        try {
            if (session_->rollback()) desk_->give_back(std::move(*session_));
        } catch (...) {  // without memory it is closed, which is the same to the server
        }
        close();
    }

    /// Acknowledges and commits. After an error nothing of it happened, and the lease is as it was.
    result<lease_end> commit(worker_id worker, const lease_ref& lease, const std::optional<std::string>& written,
                             const std::array<std::stop_token, 2>& stops) {
        if (const auto passed_over = transaction_->failed()) {
            roll_back();
            return *passed_over;
        }
        auto ended = session_->commit_acknowledging(worker, lease, written);
        if (ended && !*ended) return look_again(worker, lease);
        if (ended) {
            desk_->give_back(std::move(*session_));
            close();
            return lease_end::ended;
        }
        error_info why = std::move(ended.error());
        if (!ends_session(why)) {
            roll_back();
            return why;
        }
        close();
        // The connection broke before the answer came.
        const auto holds = desk_->still_holds(worker, lease, stops);
        if (!holds) return lease_end::unknown;
        if (*holds) return why;
        return lease_end::ended;
    }

private:
    // Who asks it to stop, or waits for it, changes the lease; one that was changed at the same moment is not found.
    result<lease_end> look_again(worker_id worker, const lease_ref& lease) {
        const auto holds = session_->still_holds(worker, lease);
        const bool gone = holds && !*holds;
        if (holds) desk_->give_back(std::move(*session_));
        close();
        if (gone) return lease_end::lost;
        return error_info{make_sqlstate("40001"), "its lease was changed at the same moment"};
    }
    void close() noexcept {
        transaction_.reset();
        session_.reset();
    }

    desk_type* desk_ = nullptr;
    std::optional<session_type> session_{};
    std::optional<basic_transaction<Composition>> transaction_{};
};

}  // namespace pgq::detail
