#pragma once

#include <pgq/context/job_services.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/revision.hpp>

#include <atomic>

namespace pgq::detail {

/// Changes payloads of a worker's jobs over the connection that the queue object has for calls: the worker's own may be
/// waiting. Called from any thread. After the worker has registered again, changes to its former leases fail: those
/// have the former id.
template <class Queue>
class job_updater final : public job_reviser {
public:
    explicit job_updater(Queue& queue) noexcept : queue_{&queue} {}

    void set_worker(worker_id id) noexcept { worker_.store(id); }
    result<void> revise(revision r) override {
        r.worker = worker_.load();
        return queue_->revise(r);
    }

private:
    Queue* queue_;
    std::atomic<worker_id> worker_{worker_id{}};
};

}  // namespace pgq::detail
