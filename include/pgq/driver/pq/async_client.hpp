#pragma once

#include <pgq/driver/pq/async_session.hpp>
#include <pgq/job/enqueue_batch.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/associated_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/compose.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/strand.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// The asynchronous side of a queue object: a connection, opened when first needed and again after it broke, and calls that take
/// turns on it in the order in which they were made. Callable from any thread.
///
/// Those that wait their turn wait for a timer that never fires, so that the context owns them and they go when it goes.
class async_client {
    struct call {
        call(std::size_t p, result<enqueue_batch> b) : position{p}, batch{std::move(b)} {}

        std::size_t position;
        result<enqueue_batch> batch;
        std::vector<job_id> ids{};
        asio::cancellation_signal wake{};  // ends what the call waits for at present
        bool has_turn = false;
        bool cancelled = false;
    };

    // All members belong to the strand, except the last two.
    struct shared : std::enable_shared_from_this<shared> {
        shared(asio::any_io_executor e, connection_options o, std::string q, std::span<const std::string_view> names)
            : executor{std::move(e)}, options{std::move(o)}, queue{std::move(q)}, entrypoints{names},
              strand{asio::make_strand(executor)}, never{strand, asio::steady_timer::time_point::max()} {}

        bool take_turn(const std::shared_ptr<call>& c) {
            if (busy) return waiting.push_back(c), false;
            return busy = c->has_turn = true;
        }
        void pass_on() {
            while (!waiting.empty()) {
                const auto next = waiting.front().lock();
                waiting.pop_front();
                if (!next) continue;
                next->has_turn = true;
                return next->wake.emit(asio::cancellation_type::all);
            }
            busy = false;
        }
        void cancel(const std::shared_ptr<call>& c, asio::cancellation_type_t how) {
            c->cancelled = true;
            const auto same = [&](const std::weak_ptr<call>& w) { return w.lock() == c; };
            waiting.erase(std::remove_if(waiting.begin(), waiting.end(), same), waiting.end());
            c->wake.emit(how);
        }
        void note(error_info why) {
            const std::lock_guard lock{mutex};
            last_error = std::move(why);
        }

        asio::any_io_executor executor;
        connection_options options;
        std::string queue;
        std::span<const std::string_view> entrypoints;
        asio::any_io_executor strand;
        asio::steady_timer never;
        std::deque<std::weak_ptr<call>> waiting;
        bool busy = false;
        async_session session;
        bool connected = false;
        std::vector<lane_id> lanes;
        std::mutex mutex;
        error_info last_error{};
    };

    template <class Answer>
    class op;

public:
    async_client(asio::any_io_executor executor, connection_options options, std::string queue,
                 std::span<const std::string_view> entrypoints)
        : shared_{std::make_shared<shared>(std::move(executor), std::move(options), std::move(queue), entrypoints)} {}

    /// `Answer` is job_id, for exactly one job, or a vector of them; `position` is that of the entrypoint. A batch that is an error
    /// already completes with it.
    template <class Answer, asio::completion_token_for<void(std::error_code, Answer)> Token>
    auto async_enqueue(std::size_t position, result<enqueue_batch> batch, Token&& token) {
        auto mine = std::make_shared<call>(position, std::move(batch));
        return asio::async_compose<Token, void(std::error_code, Answer)>(op<Answer>{shared_, std::move(mine)}, token,
                                                                         shared_->executor);
    }

    error_info last_error() const {
        const std::lock_guard lock{shared_->mutex};
        return shared_->last_error;
    }

private:
    std::shared_ptr<shared> shared_;
};

template <class Answer>
class async_client::op {
    struct on_strand {};
    struct awake {};
    struct laned {};
    struct enqueued {};

public:
    op(std::shared_ptr<shared> client, std::shared_ptr<call> mine) : client_{std::move(client)}, call_{std::move(mine)} {}

    template <class Self>
    void operator()(Self& self) {
        self.reset_cancellation_state(asio::enable_total_cancellation());
        if (auto slot = self.get_cancellation_state().slot(); slot.is_connected()) {
            slot.assign([client = std::weak_ptr{client_}, mine = std::weak_ptr{call_}](asio::cancellation_type_t how) {
                const auto c = client.lock();
                if (!c) return;
                asio::post(c->strand, [c, mine, how] {
                    if (const auto alive = mine.lock()) c->cancel(alive, how);
                });
            });
        }
        const auto strand = client_->strand;
        asio::dispatch(strand, [self = std::move(self)]() mutable { self(on_strand{}); });
    }

    template <class Self>
    void operator()(Self& self, on_strand) {
        if (!call_->batch) return finish(self, std::move(call_->batch.error()));
        if (call_->batch->empty()) return finish(self, {});
        if (client_->take_turn(call_)) return begin(self);
        const auto client = client_;
        client->never.async_wait(next(self, [](Self& s, std::error_code) { s(awake{}); }));
    }

    template <class Self>
    void operator()(Self& self, awake) {
        waited_ = true;
        if (!call_->has_turn) return finish(self, error_info{asio::error::operation_aborted});
        begin(self);
    }

    template <class Self>
    void operator()(Self& self, std::error_code failed, async_session opened) {
        waited_ = true;
        if (failed) return finish(self, opened.last_error());
        client_->session = std::move(opened);
        client_->connected = true;
        find_lanes(self);
    }

    template <class Self>
    void operator()(Self& self, laned, std::error_code failed) {
        waited_ = true;
        if (failed) {
            client_->lanes.clear();
            return finish(self, client_->session.last_error());
        }
        enqueue(self);
    }

    template <class Self>
    void operator()(Self& self, enqueued, std::error_code failed) {
        waited_ = true;
        finish(self, failed ? client_->session.last_error() : result<void>{});
    }

private:
    template <class Self>
    void begin(Self& self) {
        if (call_->cancelled) return finish(self, error_info{asio::error::operation_aborted});
        if (client_->connected && !client_->session.usable()) client_->connected = false;
        if (client_->connected) return find_lanes(self);
        const auto client = client_;
        async_session::async_open(client->strand, client->options, session_role::client,
                                  next(self, [](Self& s, std::error_code e, async_session o) { s(e, std::move(o)); }));
    }

    template <class Self>
    void find_lanes(Self& self) {
        if (!client_->lanes.empty()) return enqueue(self);
        const auto client = client_;
        client->session.async_lanes({client->queue, client->entrypoints}, client->lanes,
                                    next(self, [](Self& s, std::error_code e) { s(laned{}, e); }));
    }

    // The last moment to cancel without a trace.
    template <class Self>
    void enqueue(Self& self) {
        if (call_->cancelled) return finish(self, error_info{asio::error::operation_aborted});
        const auto client = client_;
        const auto mine = call_;
        client->session.async_enqueue(mine->batch->request(client->lanes[mine->position]), mine->ids,
                                      next(self, [](Self& s, std::error_code e) { s(enqueued{}, e); }));
    }

    // What goes on when what is waited for has happened, or was cancelled.
    template <class Self, class Continue>
    auto next(Self& self, Continue go_on) {
        const auto slot = call_->wake.slot();
        return asio::bind_cancellation_slot(slot, [self = std::move(self), go_on](auto&&... args) mutable {
            go_on(self, std::forward<decltype(args)>(args)...);
        });
    }

    template <class Self>
    void finish(Self& self, result<void> how) {
        std::error_code code;
        if (!how) {
            code = how.error().code;
            if (how.error() == errc::connection_lost || code == asio::error::operation_aborted)
                client_->connected = client_->connected && client_->session.usable();
            client_->note(std::move(how.error()));
        }
        if (call_->has_turn) client_->pass_on();
        const auto executor = asio::get_associated_executor(self, client_->executor);
        const bool inline_is_fine = waited_;
        auto ids = std::move(call_->ids);  // before `self` takes all along
        auto deliver = [self = std::move(self), code, ids = std::move(ids)]() mutable {
            if (code) self.complete(code, Answer{});
            else if constexpr (std::is_same_v<Answer, job_id>) self.complete(code, ids.front());
            else self.complete(code, std::move(ids));
        };
        if (inline_is_fine) asio::dispatch(executor, std::move(deliver));
        else asio::post(executor, std::move(deliver));
    }

    std::shared_ptr<shared> client_;
    std::shared_ptr<call> call_;
    bool waited_ = false;
};

}  // namespace pgq::driver::pq
