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
#include <cstdint>
#include <optional>
#include <utility>

namespace pgq::driver::pq {

/// Opens a channel: connects, asks for the schema's version, makes the settings of a worker. It never blocks:
/// `advance()` says what to wait for, and `need::nothing` when the channel is ready.
class channel_opening {
public:
    explicit channel_opening(own_channel& c) : channel_{&c}, handshake_{c.line.options()} {}

    result<need> start(steady_time now) {
        begun_ = now;
        return channel_->line.start(now);
    }

    result<need> advance(steady_time now) {
        auto& line = channel_->line;
        for (;;) {
            auto wanted = stage_ == stage::connecting ? line.open(now) : line.advance();
            if (!wanted || *wanted != need::nothing || stage_ == stage::ready) return wanted;
            if (stage_ == stage::connecting) time_.emplace(line, channel_->limit, now);
            if (auto went = next(); !went) return std::move(went.error());
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
        if (time_) return time_->check(now);
        const steady_time next = channel_->line.open_again_at();
        return channel_->limit == nullptr ? next : std::min<steady_time>(next, now + call_limit::check_every);
    }

private:
    enum class stage : std::uint8_t { connecting, handshake, settings, ready };

    result<void> next() {
        auto& c = *channel_;
        switch (stage_) {
        case stage::connecting: return send_first();
        case stage::handshake:
            if (auto met = handshake_.read(answers{c.steps}); !met) {
                const bool again = command::is_undone_by_conflict(met.error()) && ++tries_ < command::most_tries;
                return again ? send_first() : met;
            }
            note_session();
            if (c.role == session_role::worker && c.info.keeps_state)
                return send(stage::settings, command::worker_settings{c.line.options().strict});
            break;
        case stage::settings:
            if (auto made = command::worker_settings::read(answers{c.steps}); !made) return made;
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
        add_session_settings(c.steps, c.line.options().state, PQbackendPID(c.line.get()));
        handshake_.compose(c.steps, c.info);
        return c.line.begin(c.steps);
    }
    template <class Command>
    result<void> send(stage then, const Command& command) {
        stage_ = then;
        channel_->steps.clear();
        command.compose(channel_->steps, channel_->info);
        return channel_->line.begin(channel_->steps);
    }

    void note_session() {
        auto& c = *channel_;
        const auto& options = c.line.options();
        c.info = {.max_payload = options.max_payload, .listens = c.role == session_role::worker, .packs = true};
        handshake_.learn(c.info);
        // A pooler gives its clients process ids of its own.
        const bool direct = c.info.backend == PQbackendPID(c.line.get());
        c.info.keeps_state = options.state == session_state::keep || (options.state == session_state::detect && direct);
        if (c.info.keeps_state) c.line.prepare_statements();
    }

    own_channel* channel_;
    command::handshake handshake_;
    stage stage_ = stage::connecting;
    int tries_ = 0;
    steady_time begun_{};
    std::optional<call_time> time_{};  // of the statements, once there is a connection
};

}  // namespace pgq::driver::pq
