#pragma once

#include <pgq/driver/pq/asio/core.hpp>

#include <asio/associated_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/compose.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace pgq::driver::pq {

/// Calls the handler of a composed operation on its own executor; never inside the initiating function, which is what
/// `has_waited` is about. `complete(self)` does it.
template <class Self, class Complete>
void deliver(Self self, const asio::any_io_executor& otherwise, bool has_waited, Complete complete) {
    const auto executor = asio::get_associated_executor(self, otherwise);
    auto call = [self = std::move(self), complete = std::move(complete)]() mutable {
        self.get_cancellation_state().slot().clear();
        complete(self);
    };
    if (has_waited) asio::dispatch(executor, std::move(call));
    else asio::post(executor, std::move(call));
}

/// An operation under way, on the strand: `Self` is the composed operation with the handler in it. It moves into
/// whatever it waits for. (It never goes back through `Self`, whose call operator drops the cancellation handler.)
template <class Work, class Self>
class async_flow {
    using value_type = typename Work::value_type;

public:
    async_flow(Self self, std::shared_ptr<async_core> core, std::unique_ptr<Work> work, std::uint64_t operation)
        : self_{std::move(self)}, core_{std::move(core)}, work_{std::move(work)}, operation_{operation} {}

    void start() {
        core_->begin(operation_);
        proceed(work_->start(std::chrono::steady_clock::now()));
    }

private:
    void go_on(std::error_code waited) {
        has_waited_ = true;
        if (waited && waited != asio::error::operation_aborted) {
            work_->abandon();
            return finish(error_info{waited});
        }
        // First of all: what has come has come, however late.
        proceed(work_->advance());
    }

    void proceed(result<need> wanted) {
        if (!wanted) return finish(wanted.error());
        if (*wanted == need::nothing) return finish(work_->answer());
        if (core_->cancelled()) {
            work_->abandon();
            return finish(error_info{asio::error::operation_aborted});
        }
        const auto now = std::chrono::steady_clock::now();
        if (now >= work_->ends()) return finish(work_->timed_out());
        core_->look_at(work_->check(now));
        auto* const core = core_.get();  // before `*this` is gone
        core->wait_for(*wanted, [flow = std::move(*this)](std::error_code waited) mutable { flow.go_on(waited); });
    }

    void finish(result<value_type> answer) {
        core_->end();
        std::error_code code;
        if (!answer) {
            code = answer.error().code;
            core_->last_error = std::move(answer.error());
        }
        const auto executor = core_->executor();
        if constexpr (std::is_void_v<value_type>) {
            deliver(std::move(self_), executor, has_waited_, [code](Self& to) { to.complete(code); });
        } else {
            value_type value = answer ? std::move(*answer) : work_->nothing();
            deliver(std::move(self_), executor, has_waited_,
                    [code, value = std::move(value)](Self& to) mutable { to.complete(code, std::move(value)); });
        }
    }

    Self self_;
    std::shared_ptr<async_core> core_;
    std::unique_ptr<Work> work_;
    std::uint64_t operation_;
    bool has_waited_ = false;
};

/// Starts an operation on one connection, for asio::async_compose. `Work` says what is done:
///
///     start(now), advance():  result<need>, as of `connection`; `need::nothing` ends it
///     ends():              when the time is over
///     check(now):          what is to be done at that time; returns when to look again
///     answer():            result<T>
///     timed_out():         result<T>
///     abandon():           it was cancelled; leaves behind what is safe
///     nothing():           the T that comes with an error
///
/// and `value_type` (T, or void) and `any_cancellation`.
template <class Work>
class async_op {
public:
    async_op(std::shared_ptr<async_core> core, std::unique_ptr<Work> work)
        : core_{std::move(core)}, work_{std::move(work)} {}

    template <class Self>
    void operator()(Self& self) {
        const auto operation = core_->next_operation();
        if constexpr (Work::any_cancellation) self.reset_cancellation_state(asio::enable_total_cancellation());
        if (auto slot = self.get_cancellation_state().slot(); slot.is_connected()) {
            slot.assign([core = std::weak_ptr{core_}, operation](asio::cancellation_type_t) {
                if (const auto alive = core.lock()) alive->cancel(operation);
            });
        }
        auto core = std::move(core_);
        auto work = std::move(work_);
        const auto strand = core->strand();
        async_flow<Work, Self> flow{std::move(self), std::move(core), std::move(work), operation};
        asio::dispatch(strand, [flow = std::move(flow)]() mutable { flow.start(); });
    }

private:
    std::shared_ptr<async_core> core_;
    std::unique_ptr<Work> work_;
};

}  // namespace pgq::driver::pq
