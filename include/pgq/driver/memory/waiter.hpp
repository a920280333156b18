#pragma once

#include <condition_variable>

namespace pgq::driver::in_memory {

/// Where one session waits; guarded by the store's mutex.
struct waiter {
    std::condition_variable changed{};
    bool notified = false;    // its worker may find jobs; void once it looks for them anyway
    bool news = false;        // a job that it watches has ended, or one of its own is to stop
    bool stop_asked = false;  // until the session asks
    bool interrupted = false;

    bool may_go() const noexcept { return notified || news || interrupted; }
    void tell_news() noexcept {
        news = true;
        changed.notify_one();
    }
};

}  // namespace pgq::driver::in_memory
