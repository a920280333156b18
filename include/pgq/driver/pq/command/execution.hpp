#pragma once

#include <pgq/detail/unit_random.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/error/sqlstate.hpp>
#include <pgq/time/clock.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

namespace pgq::driver::pq::command {

inline constexpr int most_tries = 30;

/// The server has rolled back the transaction because it conflicted with another one. A retry may succeed.
inline bool is_undone_by_conflict(const error_info& e) noexcept {
    return e.code == make_sqlstate("40001") || e.code == make_sqlstate("40P01");
}

/// One command from its first statement to its result, without I/O. `run_command` below drives it over a channel that
/// blocks; the Asio session drives it by its completion handlers.
///
/// A command has `compose(batch&, const session_info&)` and `read(const answers&)`, which returns a result. It may also
/// have
///
/// - `check(info)`: result<void>, what is wrong with the request before anything is sent;
/// - `then(batch&, info)` and `read_then(answers)`: a second round trip, composed when the first was read;
/// - `wakes()`: the lanes to wake that are known only when the answer was read;
/// - `learn(session_info&)`: what the session knows from now on;
/// - `static constexpr bool repeats = false`: it is not sent again after a conflict with another session;
/// - `static constexpr doubt in_doubt`: what may have happened if the answer is missing, for the error.
///
/// Two sessions may lock the same rows in another order, and at higher isolation levels they may conflict without that.
/// The server then rolls one of the two back. Its command is sent again, up to 30 times in all and after pauses that
/// grow, but not in an open transaction.
template <class Command>
class execution {
public:
    using result_type = decltype(std::declval<Command&>().read(std::declval<const answers&>()));

    /// `later` collects what to wake when the session's own transaction is committed.
    execution(Command& c, batch& steps, session_info& info, wake_list& later) noexcept
        : command_{&c}, steps_{&steps}, info_{&info}, later_{&later} {}

    /// False when there is nothing to send.
    bool begin() {
        if constexpr (requires { command_->check(*info_); })
            if (auto fine = command_->check(*info_); !fine) return answer_.emplace(std::move(fine.error())), false;
        return compose() || next();
    }

    /// The batch was answered. False when the command is over.
    bool next() {
        switch (round_) {
        case round::first:
            if (auto again = read(); again) return compose() || next();
            return after_first();
        case round::second:
            if constexpr (requires { command_->read_then(answers{*steps_}); })
                if (auto read = command_->read_then(answers{*steps_}); !read) answer_.emplace(std::move(read.error()));
            return wake_up();
        case round::wake: check_transaction();
        }
        return false;
    }

    /// Whether the batch that comes next is sent again, because it conflicted with another session.
    bool repeats() const noexcept { return tries_ != 0 && round_ == round::first; }
    /// How long to pause before such a batch is sent. `unit_random`: from 0 to 1, so that the two sessions do not
    /// conflict again.
    duration pause(double unit_random) const noexcept {
        const std::chrono::nanoseconds longest = std::chrono::milliseconds{1 << std::min(tries_, 7)};
        return duration{static_cast<duration::rep>(unit_random * static_cast<double>(longest.count()))};
    }

    /// The batch could not be sent, or was not answered. A failure to wake fails nothing, unless it has made the
    /// caller's transaction fail.
    void failed(error_info e) {
        if (round_ == round::wake && !fails_transaction()) return;
        if constexpr (requires { Command::in_doubt; })
            if (!info_->in_transaction) Command::in_doubt.add_to(e);
        answer_.emplace(std::move(e));
    }

    result_type answer() { return std::move(*answer_); }

private:
    enum class round : std::uint8_t { first, second, wake };

    // After an error in the caller's transaction its COMMIT is a rollback. The caller must know, also if a wake failed.
    bool fails_transaction() const noexcept { return info_->wakes == wake_timing::with_commit; }
    void check_transaction() {
        if (!fails_transaction() || !*answer_) return;
        if (const auto e = answers{*steps_}.first_error()) answer_.emplace(*e);
    }
    bool compose() {
        steps_->clear();
        command_->compose(*steps_, *info_);
        return !steps_->empty();
    }

    // True when it is to be repeated.
    bool read() {
        answer_.emplace(command_->read(answers{*steps_}));
        check_transaction();
        if constexpr (!requires { requires !Command::repeats; })
            if (!*answer_ && !info_->in_transaction && is_undone_by_conflict(answer_->error()))
                return ++tries_ < most_tries;
        if constexpr (requires { command_->learn(*info_); })
            if (*answer_) command_->learn(*info_);
        return false;
    }

    bool after_first() {
        if (!*answer_) return false;
        if constexpr (requires { command_->then(*steps_, *info_); }) {
            round_ = round::second;
            steps_->clear();
            command_->then(*steps_, *info_);
            if (!steps_->empty()) return true;
        }
        return wake_up();
    }

    bool wake_up() {
        round_ = round::wake;
        if constexpr (requires { command_->wakes(); }) {
            if (!*answer_) return false;
            const wake_list whom = command_->wakes();
            if (whom.empty()) return false;
            if (info_->wakes == wake_timing::later) return later_->add(whom), false;
            steps_->clear();
            wake{whom}.compose(*steps_, *info_);
            return !steps_->empty();
        }
        return false;
    }

    Command* command_;
    batch* steps_;
    session_info* info_;
    wake_list* later_;
    std::optional<result_type> answer_;
    int tries_ = 0;
    round round_ = round::first;
};

}  // namespace pgq::driver::pq::command

namespace pgq::driver::pq {

/// Runs a command on a channel that blocks. A channel has `steps`, `info` and `later`, `send()`, which sends the steps
/// and waits for their answers, and `pause()` if it has time.
template <class Channel, class Command>
auto run_command(Channel& channel, Command& c) {
    command::execution<Command> e{c, channel.steps, channel.info, channel.later};
    for (bool more = e.begin(); more; more = e.next()) {
        if constexpr (requires { channel.pause(duration{}); })
            if (e.repeats()) channel.pause(e.pause(pgq::detail::unit_random()));
        if (auto sent = channel.send(); !sent) {
            e.failed(std::move(sent.error()));
            break;
        }
    }
    return e.answer();
}

}  // namespace pgq::driver::pq
