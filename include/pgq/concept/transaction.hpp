#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>

#include <concepts>
#include <optional>
#include <string_view>

namespace pgq {

/// What a session must offer for handlers that run in a transaction, in addition to `can_transact`.
///
/// - `commit_acknowledging`: marks the one job of a lease as done with this result, ends the lease and commits the open
///   transaction, all or nothing. Returns false if the worker has lost the lease; the transaction is then rolled back.
///   After another error the transaction is still open. After errc::connection_lost it may have been committed.
/// - `acknowledge`: ends the lease of one job without a transaction, durably. Returns false if the worker has lost the
///   lease.
/// - `owns_lease`: returns whether the worker still has the lease. Call it only when nothing else will end the lease.
///   After a lost connection, another session calls it to find out whether the transaction was committed.
template <class S>
concept can_acknowledge = can_transact<S> &&
    requires(S& s, worker_id worker, const lease_ref& lease, std::optional<std::string_view> written) {
    { s.commit_acknowledging(worker, lease, written) } -> std::same_as<result<bool>>;
    { s.acknowledge(worker, lease) } -> std::same_as<result<bool>>;
    { s.owns_lease(worker, lease) } -> std::same_as<result<bool>>;
};

}  // namespace pgq
