#pragma once

#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/self_pipe.hpp>
#include <pgq/driver/pq/session/own_channel.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/clock.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>

#include <fcntl.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace pgq::driver::pq {

/// Waits for one connection by Asio, for one operation at a time.
///
/// The handler that waits for the socket owns the operation. The deadline, a cancellation and an interrupt only end
/// that wait; the operation then looks which of them it was. So nothing but that wait keeps an operation alive, and it
/// is destroyed with the context.
///
/// All members belong to the strand, except where said. Asio watches a duplicate of libpq's descriptor, because libpq
/// may close its own at any time.
class async_core : public std::enable_shared_from_this<async_core> {
public:
    async_core(asio::any_io_executor executor, own_channel& channel, self_pipe& wake)
        : executor_{std::move(executor)}, channel_{&channel}, wake_{&wake} {}

    const asio::any_io_executor& executor() const noexcept { return executor_; }
    own_channel& channel() noexcept { return *channel_; }
    connection& line() noexcept { return channel_->line; }
    error_info last_error{};

    /// Called on the thread that starts an operation. The first call makes the strand, the timer and the descriptor: a
    /// session of which only the blocking verbs are used has none of them and may outlive the context.
    std::uint64_t next_operation() {
        if (!io_) io_.emplace(asio::make_strand(executor_));
        return ++operations_;
    }
    const asio::any_io_executor& strand() const noexcept { return io_->strand; }

    void begin(std::uint64_t operation) {
        current_ = operation;
        cancelled_ = false;
        alarm_at_ = steady_time::max();
    }
    /// Ends the operation's wait at that time, or earlier.
    void look_at(steady_time when) {
        if (when >= alarm_at_) return;
        alarm_at_ = when;
        io_->timer.expires_at(when);
        io_->timer.async_wait([self = weak_from_this(), operation = current_](std::error_code failed) {
            const auto core = self.lock();
            if (failed || !core || core->current_ != operation) return;
            core->alarm_at_ = steady_time::max();
            core->look_around();
        });
    }
    void end() {
        current_ = 0;
        io_->timer.cancel();
        if (write_watched_) look_around();
    }
    bool cancelled() const noexcept { return cancelled_; }

    /// `resume(error_code)` when the socket is ready or when the caller must check its state for another reason.
    template <class Resume>
    void wait_for(need wanted, Resume resume) {
        if (const auto failed = watch()) {
            asio::post(io_->strand, [failed, resume = std::move(resume)]() mutable { resume(failed); });
            return;
        }
        if (wanted == need::read_and_write) watch_for_room();
        io_->socket.async_wait(wanted == need::write ? descriptor::wait_write : descriptor::wait_read,
                               std::move(resume));
    }
    /// libpq may have taken another socket.
    void forget_socket() {
        std::error_code ignored;
        (void)io_->socket.close(ignored);
    }
    void close() {
        forget_socket();
        channel_->line.close();
    }

    /// From any thread that is allowed to post to the strand.
    void cancel(std::uint64_t operation) {
        asio::post(io_->strand, [self = shared_from_this(), operation] {
            if (self->current_ != operation) return;
            self->cancelled_ = true;
            self->look_around();
        });
    }

    /// From any thread. The pipe keeps the signal for the next wait of either kind; the rest ends the present one.
    void interrupt() noexcept {
        wake_->signal();
        interrupted_.store(true);
        if (!waiting_.load()) return;
        try {
            asio::post(io_->strand, [self = shared_from_this()] {
                if (self->waiting_.load()) self->look_around();
            });
        } catch (...) {  // no memory: the wait ends with its timeout
        }
    }
    void waiting(bool now) noexcept { waiting_.store(now); }
    bool took_interrupt() noexcept { return interrupted_.exchange(false) && wake_->drain(); }

private:
    using descriptor = asio::posix::stream_descriptor;

    struct io {
        explicit io(asio::any_io_executor s) : strand{std::move(s)}, socket{strand}, timer{strand} {}
        asio::any_io_executor strand;
        descriptor socket;
        asio::steady_timer timer;
    };

    void look_around() {
        std::error_code ignored;
        (void)io_->socket.cancel(ignored);
    }

    std::error_code watch() {
        if (io_->socket.is_open()) return {};
        const int copy = ::fcntl(channel_->line.socket(), F_DUPFD_CLOEXEC, 0);
        if (copy < 0) return {errno, std::generic_category()};
        std::error_code failed;
        (void)io_->socket.assign(copy, failed);
        if (failed) ::close(copy);
        return failed;
    }

    void watch_for_room() {
        if (std::exchange(write_watched_, true)) return;
        io_->socket.async_wait(descriptor::wait_write, [self = weak_from_this()](std::error_code) {
            const auto core = self.lock();
            if (!core) return;
            core->write_watched_ = false;
            // Also when it was ended: the operation may have gone back to waiting in the belief that this still
            // watches.
            if (core->current_ != 0) core->look_around();
        });
    }

    asio::any_io_executor executor_;
    own_channel* channel_;
    self_pipe* wake_;
    std::optional<io> io_;
    std::uint64_t operations_ = 0;
    std::uint64_t current_ = 0;
    steady_time alarm_at_ = steady_time::max();
    bool cancelled_ = false;
    bool write_watched_ = false;
    std::atomic<bool> waiting_{false};
    std::atomic<bool> interrupted_{false};
};

}  // namespace pgq::driver::pq
