#pragma once

#include <mutex>
#include <optional>
#include <utility>

namespace pgq::detail {

/// The session of a run, if it has one. One thread sets and uses it; any thread may interrupt its wait.
template <class Session>
class session_slot {
public:
    void set(std::optional<Session> s) {
        const std::lock_guard lock{mutex_};
        session_ = std::move(s);
    }
    /// Null while there is none.
    Session* get() noexcept { return session_ ? &*session_ : nullptr; }
    bool is_set() const noexcept { return session_.has_value(); }

    /// Ends the wait of the session, or its next one if it does not wait now. False if there is no session.
    bool interrupt() {
        const std::lock_guard lock{mutex_};
        if (session_) session_->interrupt();
        return session_.has_value();
    }

private:
    std::mutex mutex_;  // for interrupt(), which reads session_
    std::optional<Session> session_;
};

}  // namespace pgq::detail
