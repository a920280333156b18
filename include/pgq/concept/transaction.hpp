#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <concepts>
#include <optional>
#include <string_view>

namespace pgq {

/// What handlers that run in a transaction ask of a session beside `can_transact`.
///
/// - `commit_acknowledging`: ends the lease, of one job, which is done with that result, and commits the open transaction, both or
///   neither. False when the lease is no longer that worker's: then the transaction was rolled back. After another error it is
///   open still, unless the connection was lost: then it is in doubt.
/// - `acknowledge`: ends such a lease by itself, durably, as is the caller's to say afterwards. False when it is no longer that
///   worker's.
/// - `still_holds`: whether that lease is there, asked when nobody is about to end it any more. On a session of its own it clears the doubt.
template <class S>
concept can_acknowledge = can_transact<S> && requires(S& s, worker_id worker, const lease_ref& lease,
                                                      std::optional<std::string_view> written) {
    { s.commit_acknowledging(worker, lease, written) } -> std::same_as<result<bool>>;
    { s.acknowledge(worker, lease) } -> std::same_as<result<bool>>;
    { s.still_holds(worker, lease) } -> std::same_as<result<bool>>;
};

}  // namespace pgq
