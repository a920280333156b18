#pragma once

#include <pgq/driver/pq/async_core.hpp>

#include <asio/associated_executor.hpp>
#include <asio/cancellation_type.hpp>
#include <asio/compose.hpp>
#include <asio/dispatch.hpp>
#include <asio/error.hpp>
#include <asio/post.hpp>

#include <cstdint>
#include <memory>
#include <system_error>
#include <type_traits>
#include <utility>

namespace pgq::driver::pq {

/// An asynchronous operation on one connection, for asio::async_compose. `Work` says what is done:
///
///     start(), advance():  result<need>, as of `link`; `need::nothing` ends it
///     answer():            result<T>
///     timed_out():         result<T>
///     abandon():           it was cancelled; leaves behind what is safe
///     nothing():           the T that comes with an error
///
/// and `value_type` (T, or void), `any_cancellation`, `timeout()`. Work is done on the strand; the handler is called on its own
/// executor, never from inside the initiating function.
template <class Work>
class async_op {
    using value_type = typename Work::value_type;

    struct on_strand {};

public:
    async_op(std::shared_ptr<async_core> core, std::unique_ptr<Work> work)
        : core_{std::move(core)}, work_{std::move(work)} {}

    template <class Self>
    void operator()(Self& self) {
        operation_ = core_->next_operation();
        if constexpr (Work::any_cancellation) self.reset_cancellation_state(asio::enable_total_cancellation());
        if (auto slot = self.get_cancellation_state().slot(); slot.is_connected()) {
            slot.assign([core = std::weak_ptr{core_}, operation = operation_](asio::cancellation_type_t) {
                if (const auto alive = core.lock()) alive->cancel(operation);
            });
        }
        const auto strand = core_->strand();  // a copy: `self` takes us along
        asio::dispatch(strand, [self = std::move(self)]() mutable { self(on_strand{}); });
    }

    template <class Self>
    void operator()(Self& self, on_strand) {
        core_->begin(operation_, work_->timeout());
        proceed(self, work_->start());
    }

    template <class Self>
    void operator()(Self& self, std::error_code waited) {
        waited_ = true;
        if (waited && waited != asio::error::operation_aborted) {
            work_->abandon();
            return finish(self, error_info{waited});
        }
        // First of all: what has come has come, however late.
        proceed(self, work_->advance());
    }

private:
    template <class Self>
    void proceed(Self& self, result<need> wanted) {
        if (!wanted) return finish(self, wanted.error());
        if (*wanted == need::nothing) return finish(self, work_->answer());
        if (core_->cancelled()) {
            work_->abandon();
            return finish(self, error_info{asio::error::operation_aborted});
        }
        if (core_->timed_out()) return finish(self, work_->timed_out());
        auto* const core = core_.get();
        core->wait_for(*wanted, [self = std::move(self)](std::error_code failed) mutable { self(failed); });
    }

    template <class Self>
    void finish(Self& self, result<value_type> answer) {
        core_->end();
        std::error_code code;
        if (!answer) {
            code = answer.error().code;
            core_->last_error = std::move(answer.error());
        }
        if constexpr (std::is_void_v<value_type>) {
            deliver(self, [code](Self& to) { to.complete(code); });
        } else {
            value_type value = answer ? std::move(*answer) : work_->nothing();
            deliver(self, [code, value = std::move(value)](Self& to) mutable { to.complete(code, std::move(value)); });
        }
    }

    template <class Self, class Complete>
    void deliver(Self& self, Complete complete) {
        const auto executor = asio::get_associated_executor(self, core_->executor());
        const bool inline_is_fine = waited_;
        auto call = [self = std::move(self), complete = std::move(complete)]() mutable { complete(self); };
        if (inline_is_fine) asio::dispatch(executor, std::move(call));
        else asio::post(executor, std::move(call));
    }

    std::shared_ptr<async_core> core_;
    std::unique_ptr<Work> work_;
    std::uint64_t operation_ = 0;
    bool waited_ = false;
};

}  // namespace pgq::driver::pq
