#pragma once

#include <libpq-fe.h>

#include <atomic>
#include <memory>
#include <system_error>
#include <thread>

namespace pgq::driver::pq {

/// Asks the server to cancel the statement of a connection. The request needs a connection of its own and may wait for
/// it, so that a thread of its own does it.
class cancel_request {
public:
    /// Returns at once. Does nothing if it has been sent already.
    void send(PGconn* c) {
        if (was_sent()) return;
        over_ = std::make_shared<std::atomic<bool>>(false);
        std::shared_ptr<PGcancel> cancel{PQgetCancel(c), &PQfreeCancel};
        if (!cancel) return over_->store(true);
        try {
            std::thread{[cancel, over = over_] {
                char why[256];
                (void)PQcancel(cancel.get(), why, sizeof why);
                over->store(true);
            }}.detach();
        } catch (const std::system_error&) {  // no thread: the caller closes the connection when its time is over
            over_->store(true);
        }
    }
    bool was_sent() const noexcept { return over_ != nullptr; }
    /// Whether the server has acted on it, or never will. Before that, it might cancel the next statement instead.
    bool is_over() const noexcept { return over_ == nullptr || over_->load(); }
    void reset() noexcept { over_.reset(); }

private:
    std::shared_ptr<std::atomic<bool>> over_{};
};

}  // namespace pgq::driver::pq
