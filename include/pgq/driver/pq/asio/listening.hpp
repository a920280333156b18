#pragma once

#include <pgq/driver/pq/asio/core.hpp>
#include <pgq/driver/pq/asio/operation.hpp>
#include <pgq/driver/pq/asio/work.hpp>
#include <pgq/driver/pq/session/channel_opening.hpp>
#include <pgq/driver/pq/session/listener.hpp>
#include <pgq/error/result.hpp>

#include <asio/compose.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

namespace pgq::driver::pq {

/// Opens the listener of a session, unless it is open.
class open_listener_work {
public:
    using value_type = void;
    static constexpr bool any_cancellation = false;

    open_listener_work(async_core& core, listener& l, own_channel& of)
        : core_{&core}, listener_{&l}, of_{&of}, opening_{core.channel()} {}

    steady_time ends() const noexcept { return opening_.ends(); }
    steady_time check(steady_time now) { return opening_.check(now); }
    result<need> start(steady_time now) {
        if (listener_->is_open()) return need::nothing;
        return opening_.start(now);
    }
    result<need> advance() {
        core_->forget_socket();
        auto wanted = opening_.advance(std::chrono::steady_clock::now());
        if (!wanted) return listener::refused(std::move(wanted.error()));
        if (*wanted != need::nothing) return wanted;
        return is_settled(core_->line(), core_->channel().steps) ? wanted : result<need>{need::read};
    }
    result<void> answer() { return listener_->is_open() ? result<void>{} : listener_->opened(of_->info); }
    result<void> timed_out() {
        core_->close();
        return listener::refused(no_answer());
    }
    void abandon() { core_->close(); }

private:
    async_core* core_;
    listener* listener_;
    own_channel* of_;
    channel_opening opening_;
};

/// A command of a session that has a listener, for asio::async_compose. The listener is opened and told `before`. If
/// `after` is no null pointer, it makes of the command's value what the listener is told behind the command.
template <class Command, class Before, class After>
class listening_op {
    enum class step : std::uint8_t { begin, open, before, command, after };

public:
    listening_op(std::shared_ptr<async_core> of, std::shared_ptr<async_core> core, listener& l, Command c,
                 std::optional<Before> before, After after)
        : of_{std::move(of)},
          core_{std::move(core)},
          listener_{&l},
          command_{std::move(c)},
          before_{std::move(before)},
          after_{after} {}

    template <class Self>
    void operator()(Self& self) {
        auto work = std::make_unique<open_listener_work>(*core_, *listener_, of_->channel());
        step_ = step::open;
        run<void(std::error_code)>(self, core_, std::move(work));
    }
    template <class Self, class... Value>
    void operator()(Self& self, std::error_code failed, Value... value) {
        if constexpr (sizeof...(Value) != 0) (value_.emplace(std::move(value)), ...);
        if (failed && step_ != step::command) of_->last_error = core_->last_error;
        if (failed) return complete(self, failed);
        switch (step_) {
        case step::open: return send(self, before_ ? step::before : step::command);
        case step::before: return send(self, step::command);
        case step::command: return updates_after ? send(self, step::after) : complete(self, {});
        default: return complete(self, {});
        }
    }

private:
    using value_type = typename command_work<Command>::value_type;
    static constexpr bool updates_after = !std::is_same_v<After, std::nullptr_t>;
    struct none {};

    template <class Signature, class Self, class Work>
    static void run(Self& self, std::shared_ptr<async_core> core, std::unique_ptr<Work> work) {
        const auto executor = core->executor();
        asio::async_compose<Self, Signature>(async_op<Work>{std::move(core), std::move(work)}, self, executor);
    }
    template <class Self, class C>
    void run_command(Self& self, const std::shared_ptr<async_core>& core, C&& c) {
        using work = command_work<std::decay_t<C>>;
        auto made = std::make_unique<work>(*core, std::forward<C>(c));
        if constexpr (std::is_void_v<typename work::value_type>)
            run<void(std::error_code)>(self, core, std::move(made));
        else run<void(std::error_code, typename work::value_type)>(self, core, std::move(made));
    }
    template <class Self>
    void send(Self& self, step next) {
        step_ = next;
        if (next == step::before) return run_command(self, core_, std::move(*before_));
        if constexpr (updates_after)
            if (next == step::after) return run_command(self, core_, after_(*value_));
        run_command(self, of_, std::move(command_));
    }
    template <class Self>
    void complete(Self& self, std::error_code failed) {
        if constexpr (std::is_void_v<value_type>) self.complete(failed);
        else {
            value_type value = value_ ? std::move(*value_) : value_type{};
            self.complete(failed, std::move(value));
        }
    }

    std::shared_ptr<async_core> of_;
    std::shared_ptr<async_core> core_;  // of the listener
    listener* listener_;
    Command command_;
    std::optional<Before> before_;
    After after_;
    std::optional<std::conditional_t<std::is_void_v<value_type>, none, value_type>> value_{};
    step step_ = step::begin;
};

}  // namespace pgq::driver::pq
