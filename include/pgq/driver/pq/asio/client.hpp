#pragma once

#include <pgq/driver/pq/asio/session.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/protocol/enqueue_batch.hpp>
#include <pgq/time/clock.hpp>

#include <asio/any_io_executor.hpp>
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
#include <atomic>
#include <chrono>
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

/// The asynchronous side of a queue object: a connection, opened when first needed and again after it broke, and calls
/// that take turns on it in the order in which they were made. Callable from any thread.
///
/// Those that wait their turn wait for a timer that never fires, so that the context owns them and they go when it
/// goes.
class async_client {
    struct call {
        call(std::size_t p, result<enqueue_batch> b) : position{p}, batch{std::move(b)} {}

        std::size_t position;
        result<enqueue_batch> batch;
        std::vector<job_id> ids{};
        asio::cancellation_signal wake{};  // ends what the call waits for at present
        bool has_turn = false;
        bool cancelled = false;
        error_info in_doubt{};  // why the first try has no answer, if there is a second one
    };

    // All members belong to the strand, except those from the mutex on.
    struct shared : std::enable_shared_from_this<shared> {
        shared(asio::any_io_executor e, connection_options o, std::string q, std::span<const lane_name> wanted)
            : executor{std::move(e)},
              options{std::move(o)},
              queue{std::move(q)},
              names{wanted},
              strand{asio::make_strand(executor)},
              never{strand, asio::steady_timer::time_point::max()} {}

        bool take_claim_slot(const std::shared_ptr<call>& c) {
            if (busy) return waiting.push_back(c), false;
            return busy = c->has_turn = true;
        }
        void wake_peer() {
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
            last_error_at = std::chrono::steady_clock::now();
        }

        asio::any_io_executor executor;
        connection_options options;
        std::string queue;
        std::span<const lane_name> names;
        asio::any_io_executor strand;
        asio::steady_timer never;
        std::deque<std::weak_ptr<call>> waiting;
        bool busy = false;
        async_session session;
        bool connected = false;
        std::vector<lane_id> lanes;
        std::mutex mutex;
        error_info last_error{};
        steady_time last_error_at{};
        std::atomic<std::size_t> under_way{0};
    };

    template <class Answer>
    class op;

public:
    async_client(asio::any_io_executor executor, connection_options options, std::string queue,
                 std::span<const lane_name> names)
        : shared_{std::make_shared<shared>(std::move(executor), std::move(options), std::move(queue), names)} {}

    /// `Answer` is job_id, for exactly one job, or a vector of them; `position` is that of the entrypoint. A batch that
    /// is an error already completes with it.
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

    /// When that was; the clock's zero when there was none.
    steady_time last_error_at() const {
        const std::lock_guard lock{shared_->mutex};
        return shared_->last_error_at;
    }
    /// Calls that have begun and not ended, those that wait their turn included.
    std::size_t under_way() const noexcept { return shared_->under_way.load(std::memory_order_relaxed); }

private:
    std::shared_ptr<shared> shared_;
};

template <class Answer>
class async_client::op {
public:
    op(std::shared_ptr<shared> client, std::shared_ptr<call> mine)
        : client_{std::move(client)}, call_{std::move(mine)} {}

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
        auto client = std::move(client_);
        auto mine = std::move(call_);
        client->under_way.fetch_add(1, std::memory_order_relaxed);
        const auto strand = client->strand;
        flow<Self> all{std::move(self), std::move(client), std::move(mine)};
        asio::dispatch(strand, [all = std::move(all)]() mutable { all.start(); });
    }

private:
    template <class Self>
    class flow;

    std::shared_ptr<shared> client_;
    std::shared_ptr<call> call_;
};

// A call under way, on the strand; it moves into whatever it waits for.
template <class Answer>
template <class Self>
class async_client::op<Answer>::flow {
public:
    flow(Self self, std::shared_ptr<shared> client, std::shared_ptr<call> mine)
        : self_{std::move(self)}, client_{std::move(client)}, call_{std::move(mine)} {}

    void start() {
        if (!call_->batch) return finish(std::move(call_->batch.error()));
        if (call_->batch->empty()) return finish({});
        if (client_->take_claim_slot(call_)) return connect();
        const auto client = client_;
        client->never.async_wait(next([](flow& f, std::error_code) {
            if (f.call_->has_turn) f.connect();
            else f.finish(error_info{asio::error::operation_aborted});
        }));
    }

private:
    void connect() {
        if (call_->cancelled) return finish(error_info{asio::error::operation_aborted});
        if (client_->connected && !client_->session.usable()) client_->connected = false;
        if (client_->connected) return find_lanes();
        const auto client = client_;
        async_session::async_open(client->strand, client->options, session_role::client, nullptr,
                                  next([](flow& f, std::error_code failed, async_session opened) {
                                      if (failed) return f.finish(opened.last_error());
                                      f.client_->session = std::move(opened);
                                      f.client_->connected = true;
                                      f.find_lanes();
                                  }));
    }

    void find_lanes() {
        if (!client_->lanes.empty()) return enqueue();
        const auto client = client_;
        client->session.async_lanes(client->queue, client->names,
                                    // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved from
                                    next([](flow& f, std::error_code failed, std::vector<lane_id> found) {
                                        if (failed) return f.finish(f.client_->session.last_error());
                                        f.client_->lanes = std::move(found);
                                        f.enqueue();
                                    }));
    }

    // The last moment to cancel without a trace.
    void enqueue() {
        if (call_->cancelled) return finish(error_info{asio::error::operation_aborted});
        const auto client = client_;
        const auto mine = call_;
        client->session.async_enqueue(mine->batch->request(client->lanes[mine->position]), mine->ids,
                                      next([](flow& f, std::error_code failed) {
                                          if (!failed) return f.finish({});
                                          auto why = f.client_->session.last_error();
                                          if (!f.may_repeat(why)) return f.finish(std::move(why));
                                          f.call_->in_doubt = std::move(why);
                                          f.connect();
                                      }));
    }
    // Once, and only if the call has a request id: it cannot happen twice then.
    bool may_repeat(const error_info& why) const {
        return !call_->in_doubt.code && !call_->cancelled && ends_session(why) &&
               call_->batch->request({}).has_request_id();
    }

    // A handler that goes on when what is waited for has happened, or was cancelled.
    template <class Continue>
    auto next(Continue go_on) {
        const auto slot = call_->wake.slot();
        has_waited_ = true;
        return asio::bind_cancellation_slot(slot, [all = std::move(*this), go_on](auto&&... args) mutable {
            go_on(all, std::forward<decltype(args)>(args)...);
        });
    }

    void finish(result<void> how) {
        std::error_code code;
        if (!how) {
            if (call_->in_doubt.code) how = std::move(call_->in_doubt);  // what the first try has done is not known
            code = how.error().code;
            client_->note(std::move(how.error()));
        } else {
            call_->batch->stored(call_->ids.size());
        }
        if (call_->has_turn) client_->wake_peer();
        client_->under_way.fetch_sub(1, std::memory_order_relaxed);
        const auto executor = client_->executor;
        deliver(std::move(self_), executor, has_waited_, [code, ids = std::move(call_->ids)](Self& to) mutable {
            if (code) to.complete(code, Answer{});
            else if constexpr (std::is_same_v<Answer, job_id>) to.complete(code, ids.front());
            else to.complete(code, std::move(ids));
        });
    }

    Self self_;
    std::shared_ptr<shared> client_;
    std::shared_ptr<call> call_;
    bool has_waited_ = false;
};

}  // namespace pgq::driver::pq
