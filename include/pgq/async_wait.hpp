#pragma once

#include <pgq/client/client_connection.hpp>
#include <pgq/client/job_handle.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <asio/associated_cancellation_slot.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/error.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/system_executor.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

/// Asynchronous waiting for the end of jobs, with any driver: `co_await pgq::async_wait(handle, 30s,
/// asio::use_awaitable)`.
///
/// All waits on one queue object, blocking and asynchronous, share one thread and one connection. The first wait
/// creates them. Any thread may call these functions.
///
/// An operation completes on the executor of its handler, never inside the call. If it is cancelled, with any
/// cancellation type, it completes with asio::error::operation_aborted; the job itself continues. If the timeout passes
/// first, it completes with errc::timeout. If the queue object is destroyed first, it completes with errc::closed.
namespace pgq {

namespace detail {

// A completion handler that waits for its result. It is shared, because the functions that hold it must be copyable.
template <class Handler, class Answer>
class waiting_handler {
public:
    explicit waiting_handler(Handler h)
        : handler_{std::move(h)}, work_{asio::get_associated_executor(handler_, asio::system_executor{})} {}

    auto slot() const noexcept { return asio::get_associated_cancellation_slot(handler_); }

    void complete(std::error_code code, Answer answer) {
        const auto executor = work_.get_executor();
        asio::post(executor,
                   [h = std::move(handler_), work = std::move(work_), code, answer = std::move(answer)]() mutable {
                       if (auto s = asio::get_associated_cancellation_slot(h); s.is_connected()) s.clear();
                       std::move(h)(code, std::move(answer));
                   });
    }

private:
    using executor_type = asio::associated_executor_t<Handler, asio::system_executor>;

    Handler handler_;
    asio::executor_work_guard<executor_type> work_;
};

/// `read(ended)` gives a result<Answer> of the ends.
template <class Answer, class Driver, class Handler, class Read>
void wait_by_asio(const weak_connection<Driver>& link, std::span<const job_id> ids, duration timeout, Handler handler,
                  Read read) {
    const auto waiting = std::make_shared<waiting_handler<Handler, Answer>>(std::move(handler));
    const auto connection = link.lock();
    if (!connection) return waiting->complete(make_error_code(errc::closed), Answer{});
    auto& watcher = connection->watcher();
    const auto wait_id = watcher.next_wait_id();
    // Now, because completion clears the slot.
    if (auto slot = waiting->slot(); slot.is_connected())
        slot.assign([link, wait_id](asio::cancellation_type_t) {
            if (const auto still = link.lock())
                still->watcher().cancel_wait(wait_id, error_info{make_error_code(asio::error::operation_aborted)});
        });
    watcher.async_wait(wait_id, ids, deadline_in(timeout), default_outcome_retention, [waiting, read](auto ended) {
        result<Answer> answer = ended ? read(std::move(*ended)) : result<Answer>{std::move(ended.error())};
        if (answer) waiting->complete({}, std::move(*answer));
        else waiting->complete(answer.error().code, Answer{});
    });
}

}  // namespace detail

/// Waits for the end of one job, as job_handle::wait does. The signature is void(std::error_code, ended_job).
template <class Driver, class Job, class Serializer, asio::completion_token_for<void(std::error_code, ended_job)> Token>
auto async_wait(const job_handle<Driver, Job, Serializer>& job, duration timeout, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, ended_job)>(
        [](auto handler, job_handle<Driver, Job, Serializer> h, duration t) {
            const job_id id = h;
            detail::wait_by_asio<ended_job>(
                detail::handle_access::link(h), {&id, 1}, t, std::move(handler),
                [](std::vector<ended_job> ended) { return result<ended_job>{std::move(ended.front())}; });
        },
        token, job, timeout);
}

/// Waits for the result of one job, as job_handle::get does. The signature is void(std::error_code, Job::result). If
/// the job ended but is not done, the code is errc::job_not_done; use async_wait to get the reason.
template <class Driver, class Job, class Serializer, class Token>
auto async_get(const job_handle<Driver, Job, Serializer>& job, duration timeout, Token&& token) {
    if constexpr (diagnostic::require_result<Job, Serializer>()) {
        using value = typename Job::result;
        return asio::async_initiate<Token, void(std::error_code, value)>(
            [](auto handler, job_handle<Driver, Job, Serializer> h, duration t) {
                const job_id id = h;
                detail::wait_by_asio<value>(
                    detail::handle_access::link(h), {&id, 1}, t, std::move(handler),
                    [](std::vector<ended_job> ended) { return detail::result_of_end<Job, Serializer>(ended.front()); });
            },
            token, job, timeout);
    }
}

/// Waits for the end of all jobs of a batch, as batch_handle::wait_all does. The signature is
/// void(std::error_code, std::vector<ended_job>); the ends are in the order of the jobs.
template <class Driver, class Job, class Serializer,
          asio::completion_token_for<void(std::error_code, std::vector<ended_job>)> Token>
auto async_wait_all(const batch_handle<Driver, Job, Serializer>& jobs, duration timeout, Token&& token) {
    return asio::async_initiate<Token, void(std::error_code, std::vector<ended_job>)>(
        [](auto handler, batch_handle<Driver, Job, Serializer> h, duration t) {
            detail::wait_by_asio<std::vector<ended_job>>(
                detail::handle_access::link(h), h, t, std::move(handler),
                [](std::vector<ended_job> ended) { return result<std::vector<ended_job>>{std::move(ended)}; });
        },
        token, jobs, timeout);
}

}  // namespace pgq
