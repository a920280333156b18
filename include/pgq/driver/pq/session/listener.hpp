#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/driver/pq/session/own_channel.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/time/call_limit.hpp>

#include <memory>
#include <utility>

namespace pgq::driver::pq {

/// The channel of `listen_conninfo`: it gets the notifications of a session whose own connection goes by a pooler, and
/// holds the locks of a worker that sleeps. It is opened by the first verb that needs notifications. If it breaks, the
/// session counts as broken.
class listener {
public:
    /// Without a `listen_conninfo`, and for heartbeats, there is none.
    static std::unique_ptr<listener> of(const connection_options& o, session_role role, const call_limit* limit) {
        if (o.listen_conninfo.empty() || role == session_role::monitor) return nullptr;
        connection_options mine = o;
        mine.conninfo = std::exchange(mine.listen_conninfo, {});
        mine.state = session_state::keep;
        return std::make_unique<listener>(std::move(mine), limit);
    }
    listener(connection_options o, const call_limit* limit) : channel{std::move(o), session_role::worker, limit} {}

    bool is_open() const noexcept { return open_; }
    /// The channel is ready. `of` is the session that it listens for.
    result<void> opened(session_info& of) {
        if (channel.info.schema_id != of.schema_id)
            return error_info{errc::invalid_option, "listen_conninfo leads to another database than conninfo",
                              "name the same database in both"};
        of.listener = channel.info.backend;
        open_ = true;
        return {};
    }
    /// Why it could not be opened.
    static error_info refused(error_info e) {
        if (e == errc::invalid_option) {
            e.message = "listen_conninfo leads to a pooler that shares its sessions";
            e.hint = "give it the address of the server itself";
        } else {
            e.message = "listen_conninfo: " + e.message;
        }
        return e;
    }

    own_channel channel;

private:
    bool open_ = false;
};

}  // namespace pgq::driver::pq
