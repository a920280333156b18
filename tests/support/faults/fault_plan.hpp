#pragma once

#include <support/faults/session_watch.hpp>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace test::faults {

/// How a connection breaks.
enum class fault : std::uint8_t {
    none,
    cut_request,    ///< only a part of the request reaches the server
    cut_answer,     ///< the server gets the request, and only a part of its answer comes back
    cut_later,      ///< some time after the request
    cut_at_commit,  ///< just behind the answer to the commit of an enqueue
    silence,        ///< nothing passes any more, and neither side sees an error
};

/// Which faults happen to one connection, at random. It holds the library to what its pages promise:
///
/// - a worker, its heartbeat, a scheduler and the wait of a handle connect again by themselves, so their connections
///   are cut and go silent at any point behind their start;
/// - an enqueue whose commit was answered succeeds, and the next call replaces a connection that broke in between, so
///   the connection of any client is cut just there;
/// - an enqueue with a request id is repeated once by the library, so it is cut once;
/// - other calls of clients, pollers and waiting gets return an error when their connection breaks, so these are only
///   slow;
/// - a worker that cannot end its registration leaves it for its lease time, and a heartbeat that is too late loses the
///   leases, so the last transaction of a worker and heartbeats of short leases are only slow.
class fault_plan {
public:
    fault_plan(std::uint64_t seed, std::uint64_t connection) : random_{seed * 1'000'003 + connection} {}

    /// How much later a piece of data is forwarded.
    std::chrono::milliseconds delay(const session_watch& session) {
        // A test that sends thousands of requests on one connection must end, too.
        const double share = delayed_ < many_delays ? 0.06 : 0.002;
        if (!happens(share)) return std::chrono::milliseconds{0};
        ++delayed_;
        const double most = is_short(session.lease_time()) ? 20 : 200;
        return std::chrono::milliseconds{static_cast<std::int64_t>(std::pow(most, unit()))};
    }
    /// What happens to the connection at the transaction that the client has just sent.
    fault at_transaction(const session_watch& session) {
        if (session.kind() == session_kind::other || session.is_only_slow() ||
            session.last_transaction().find(" unregister ") != std::string::npos)
            return fault::none;
        if (session.kind() == session_kind::heartbeat && is_short(session.lease_time())) return fault::none;
        const double share = session.kind() == session_kind::worker ? 0.02 : 0.1;
        if (happens(share / 20)) return fault::silence;
        if (!happens(share)) return fault::none;
        constexpr fault cuts[] = {fault::cut_request, fault::cut_answer, fault::cut_later};
        return cuts[below(3)];
    }
    /// The same at a call with a request id that nothing else of its connection waits for.
    fault at_request(const session_watch& session, known_sessions& known) {
        if (session.is_only_slow() || !happens(0.8) || !known.may_break(session.application(), session.request()))
            return fault::none;
        return below(2) == 0 ? fault::cut_request : fault::cut_answer;
    }
    /// The same where session_watch::answered() found the commit of an enqueue.
    fault at_commit(const session_watch& session) {
        return happens(0.1) && !session.is_only_slow() ? fault::cut_at_commit : fault::none;
    }

    /// A random number from 0 to `n` - 1; 0 if `n` is 0.
    std::size_t below(std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random_() % n); }

private:
    static constexpr int many_delays = 40;

    static bool is_short(std::chrono::microseconds lease_time) noexcept {
        return lease_time > std::chrono::microseconds{0} && lease_time < std::chrono::seconds{10};
    }
    double unit() { return static_cast<double>(random_() >> 11) * 0x1p-53; }
    bool happens(double share) { return unit() < share; }

    std::mt19937_64 random_;
    int delayed_ = 0;
};

constexpr std::string_view name_of(fault f) noexcept {
    switch (f) {
    case fault::cut_request: return "cut in a request";
    case fault::cut_answer: return "cut before or in an answer";
    case fault::cut_later: return "cut after a request";
    case fault::cut_at_commit: return "cut behind a commit";
    case fault::silence: return "silence";
    case fault::none: break;
    }
    return "none";
}
constexpr std::string_view name_of(session_kind k) noexcept {
    switch (k) {
    case session_kind::worker: return "worker";
    case session_kind::heartbeat: return "heartbeat";
    case session_kind::watcher: return "watcher";
    case session_kind::scheduler: return "scheduler";
    case session_kind::other: break;
    }
    return "client";
}

}  // namespace test::faults
