#pragma once

#include <pgq/diagnostic/running.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/concept/runnable.hpp>
#include <pgq/run/run_options.hpp>
#include <pgq/run/run_result.hpp>
#include <pgq/run/runnable_ref.hpp>
#include <pgq/run/supervisor.hpp>

#include <array>
#include <concepts>
#include <span>
#include <system_error>
#include <type_traits>

namespace pgq {

namespace detail {

inline result<void> supervise(const run_options& options, std::span<const runnable_ref> parts) {
    try {
        return supervisor{options, parts}.run();
    } catch (const std::system_error& e) {  // no pipe could be made
        return error_info{e.code(), e.what()};
    }
}

}  // namespace detail

/// Runs workers and other things until the program should end: `int main() { ...; return pgq::run(worker); }`. Each
/// argument runs in a thread of its own: anything with `result<void> run(std::stop_token)`.
///
/// - SIGTERM and SIGINT stop all of them, as a stop request does. A second one ends the process at once, with the exit
///   code 128 and the number of the signal: no destructor runs, and leased jobs run again elsewhere after the lease
///   time. SIGHUP calls `on_hangup`. When this returns, the signals have their former effect.
/// - If one fails with an error that may pass (transient or contention), it starts again after a back-off. After any
///   other error all stop, and this returns that error.
/// - If all of them end without an error, this returns.
/// - If systemd started the program (NOTIFY_SOCKET), it learns when all are connected and when they stop, and gets the
///   signs of life that WATCHDOG_USEC asks for.
/// - `health_port` answers GET /healthz and GET /readyz.
///
/// Only one call at a time may handle the signals of the process.
template <class... Things>
run_result run(const run_options& options, Things&&... things) {
    if constexpr (sizeof...(Things) == 0) {
        static_assert(sizeof(diagnostic::nothing_to_run<run_options, Things...>) != 0);
        return run_result{errc::invalid_option};
    } else if constexpr ((diagnostic::require_runnable<run_options, std::remove_reference_t<Things>>() && ...)) {
        const std::array<detail::runnable_ref, sizeof...(Things)> parts{detail::runnable_ref{things}...};
        return run_result{detail::supervise(options, parts)};
    } else {
        return run_result{errc::invalid_option};
    }
}
/// The same with default options.
template <class First, class... Rest>
    requires(!std::same_as<std::remove_cvref_t<First>, run_options>)
run_result run(First&& first, Rest&&... rest) { return run(run_options{}, first, rest...); }
/// A call without arguments does not compile.
template <class Options = run_options>
run_result run() {
    return run(Options{});
}

}  // namespace pgq
