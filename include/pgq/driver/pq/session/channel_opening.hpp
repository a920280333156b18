#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/handshake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/session_settings.hpp>
#include <pgq/driver/pq/session/call_time.hpp>
#include <pgq/driver/pq/session/own_channel.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq::driver::pq {

/// Opens a channel: connects, asks for the schema's version, makes the settings of its session. It never blocks:
/// `advance()` says what to wait for, and `need::nothing` when the channel is ready.
///
/// A pooler gives its clients process ids of its own, so it is noticed by them. A session behind a pooler is taken for
/// shared, unless `own_session_check` shows the contrary. In a shared session nothing is set but for a transaction.
class channel_opening {
public:
    explicit channel_opening(own_channel& c) : channel_{&c}, handshake_{c.line.options()} {}

    result<need> start(steady_time now) {
        begun_ = now;
        return channel_->line.start(now);
    }

    result<need> advance(steady_time now) {
        for (;;) {
            auto wanted = went_on(now);
            if (is_beside() && (!wanted || (*wanted != need::nothing && now >= beside_until_))) {
                if (auto went = is_shared(); !went) return std::move(went.error());
                return need::nothing;
            }
            if (!wanted || *wanted != need::nothing || stage_ == stage::ready) return wanted;
            if (stage_ == stage::connecting) time_.emplace(channel_->line, channel_->limit, now);
            if (auto went = next(now); !went) return std::move(went.error());
            if (stage_ == stage::ready) return need::nothing;
        }
    }

    /// When the server has had time enough. While it connects, advance() itself sees to that.
    steady_time ends() const noexcept {
        if (time_) return time_->ends();
        const auto* limit = channel_->limit;
        return limit == nullptr ? steady_time::max() : limit->bound(steady_time::max(), begun_);
    }
    /// When to call advance() although the socket is not ready.
    steady_time check(steady_time now) {
        if (is_beside()) return std::min({time_->check(now), beside_until_, channel_->line.beside()->open_again_at()});
        if (time_) return time_->check(now);
        const steady_time next = channel_->line.open_again_at();
        return channel_->limit == nullptr ? next : std::min<steady_time>(next, now + call_limit::check_every);
    }

private:
    enum class stage : std::uint8_t {
        connecting,
        handshake,
        own_session,        // whether the session is ours alone
        connecting_beside,  // the same, by another connection
        own_session_beside,
        settings,
        ready
    };
    // A pooler without a free session keeps the other connection waiting. That is as good as a shared session.
    static constexpr std::chrono::seconds longest_beside{2};

    bool is_beside() const noexcept {
        return stage_ == stage::connecting_beside || stage_ == stage::own_session_beside;
    }

    result<need> went_on(steady_time now) {
        auto& line = channel_->line;
        switch (stage_) {
        case stage::connecting: return line.open(now);
        case stage::connecting_beside: return line.beside()->open(now);
        case stage::own_session_beside: return line.beside()->advance();
        default: return line.advance();
        }
    }

    result<void> next(steady_time now) {
        auto& c = *channel_;
        switch (stage_) {
        case stage::connecting: return send_first();
        case stage::handshake:
            if (auto met = handshake_.read(answers{c.steps}); !met) {
                const bool again = command::is_undone_by_conflict(met.error()) && ++tries_ < command::most_tries;
                return again ? send_first() : met;
            }
            return note_session();
        case stage::own_session:
            if (!check_->read(answers{c.steps})) return is_shared();
            if (check_->asks_again()) return ask();
            if (c.line.beside() != nullptr) return ask_beside();
            stage_ = stage::connecting_beside;
            beside_until_ = now + longest_beside;
            if (!c.line.open_beside().start(now)) return is_shared();
            return {};
        case stage::connecting_beside: return ask_beside();
        case stage::own_session_beside:
            if (!check_->read_beside(answers{c.steps})) return is_shared();
            if (!check_->is_proven()) return ask();
            c.line.close_beside();
            return is_own();
        case stage::settings:
            if (auto e = answers{c.steps}.first_error()) return *e;
            break;
        case stage::ready: break;
        }
        stage_ = stage::ready;
        return {};
    }

    result<void> send_first() {
        auto& c = *channel_;
        stage_ = stage::handshake;
        c.steps.clear();
        if (c.line.options().state != session_state::none)
            add_session_settings(c.steps, PQbackendPID(c.line.get()), c.line.options());
        handshake_.compose(c.steps, c.info);
        return c.line.begin(c.steps);
    }

    result<void> note_session() {
        auto& c = *channel_;
        const auto& options = c.line.options();
        const bool listens = c.role == session_role::worker && options.listen_conninfo.empty();
        c.info = {.max_payload = options.max_payload, .listens = listens, .packs = true};
        handshake_.learn(c.info);
        if (options.state == session_state::none) return is_shared();
        if (c.info.backend == PQbackendPID(c.line.get())) return is_own();
        // Only those who listen gain by a session of their own.
        if (options.state == session_state::detect && !listens) return is_shared();
        check_.emplace(c.info.backend);
        return ask();
    }

    // A round of the check: this connection, then the one beside.
    result<void> ask() {
        auto& c = *channel_;
        stage_ = stage::own_session;
        c.line.watch_beside(false);
        c.steps.clear();
        check_->compose(c.steps);
        return c.line.begin(c.steps);
    }
    result<void> ask_beside() {
        auto& c = *channel_;
        stage_ = stage::own_session_beside;
        c.line.watch_beside(true);
        c.steps.clear();
        check_->compose_beside(c.steps);
        return c.line.beside()->begin(c.steps) ? result<void>{} : is_shared();
    }

    result<void> is_own() {
        auto& c = *channel_;
        c.info.keeps_state = true;
        c.line.prepare_statements();
        c.steps.clear();
        // The first time it had another process id.
        if (check_) add_session_settings(c.steps, c.info.backend, c.line.options());
        if (c.role == session_role::worker) add_worker_settings(c.steps, c.line.options().strict);
        stage_ = c.steps.empty() ? stage::ready : stage::settings;
        return c.steps.empty() ? result<void>{} : c.line.begin(c.steps);
    }

    result<void> is_shared() {
        auto& c = *channel_;
        const auto& options = c.line.options();
        c.line.close_beside();
        stage_ = stage::ready;
        if (options.state == session_state::keep)
            return error_info{errc::invalid_option,
                              "session_state::keep, but a pooler may share the session with others",
                              "set pool_mode = session in the pooler, or leave `state` at session_state::detect"};
        c.info.reads_committed = true;
        c.line.begin_transactions_with(transaction_settings(c.role == session_role::worker, options));
        return {};
    }

    own_channel* channel_;
    command::handshake handshake_;
    std::optional<command::own_session_check> check_{};
    stage stage_ = stage::connecting;
    int tries_ = 0;
    steady_time begun_{};
    steady_time beside_until_{};
    std::optional<call_time> time_{};  // of the statements, once there is a connection
};

}  // namespace pgq::driver::pq
