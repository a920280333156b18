#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/protocol/tracked.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pgq {

/// What a session is for; a driver may set its connections up differently.
enum class session_role : std::uint8_t {
    client,   ///< enqueues; keeps the user's durability
    worker,   ///< claims and acknowledges; listens
    monitor,  ///< heartbeats and rescues
};

/// How long a wait lasted and why it ended.
enum class wake_reason : std::uint8_t { timeout, notified, interrupted };

/// Finds the lanes of a queue by name, and makes those that are missing. In the order of `names`.
template <class S>
concept can_find_lanes = requires(S& s, std::string_view queue, std::span<const lane_name> names) {
    { s.lanes(queue, names) } -> std::same_as<result<std::vector<lane_id>>>;
};

/// Keeps the limits of a queue, which hold for all workers together.
///
/// - `limits`: makes those that are missing and returns all of the queue: what is there already wins.
/// - `change_limit`: false when there is none to change; it holds from the next claim of any worker on.
template <class S>
concept can_limit = requires(S& s, std::string_view queue, std::span<const lane_limit> limits,
                             const lane_limit& limit) {
    { s.limits(queue, limits) } -> std::same_as<result<std::vector<lane_limit>>>;
    { s.change_limit(queue, limit) } -> std::same_as<result<bool>>;
};

/// Puts jobs into one lane: all or none, ids in input order, durable when it returns.
template <class S>
concept can_enqueue = requires(S& s, const enqueue_request& r, std::vector<job_id>& ids) {
    { s.enqueue(r, ids) } -> std::same_as<result<void>>;
};

/// Puts jobs with unique keys and dependencies into any lanes: all or none, or errc::duplicate_key. `jobs` is replaced
/// by what it made of each, in input order.
template <class S>
concept can_enqueue_tracked = requires(S& s, const tracked_request& r, std::vector<enqueued_job>& jobs) {
    { s.enqueue_tracked(r, jobs) } -> std::same_as<result<void>>;
};

/// Cancels, revives and counts jobs.
///
/// - `cancel`: jobs that wait are removed in one step. The workers of those that run are notified; such a job that does
///   not end as done, discarded or held ends as cancelled.
/// - `requeue`: makes held jobs claimable again, with their attempts from the beginning.
template <class S>
concept can_administrate = requires(S& s, std::span<const job_id> ids, lane_id lane, std::size_t limit) {
    { s.cancel(ids) } -> std::same_as<result<cancel_reply>>;
    { s.requeue(ids) } -> std::same_as<result<std::int64_t>>;
    { s.held(lane, limit) } -> std::same_as<result<std::vector<held_job>>>;
    { s.counts(lane) } -> std::same_as<result<lane_counts>>;
};

/// Looks for jobs and says what becomes of those that have failed for good.
///
/// - `find`: the ids of jobs that a filter lets pass, in order; a scan of their lanes.
/// - `failures`: the attempts of a job that failed, oldest first, also for a time after it has ended.
/// - `open_jobs`: how many jobs of the lane have not ended and are not held; counted no further than `most`.
/// - `set_dead_letter_routes`: jobs of `lanes` that would be held go to the lane at the same place in `to` and are
///   claimable there, with headers that say where they come from (pgq-died-in, pgq-died-of, pgq-attempts); with an
///   empty `to` they are held again.
template <class S>
concept can_inspect = requires(S& s, const find_request& r, std::vector<job_id>& found, job_id id, lane_id lane,
                               std::int64_t most, std::span<const lane_id> lanes) {
    { s.find(r, found) } -> std::same_as<result<void>>;
    { s.failures(id) } -> std::same_as<result<std::vector<failed_attempt>>>;
    { s.open_jobs(lane, most) } -> std::same_as<result<std::int64_t>>;
    { s.set_dead_letter_routes(lanes, lanes) } -> std::same_as<result<void>>;
};

/// Reads the latest progress of a job that has not ended and is not held, whichever attempt has reported it.
template <class S>
concept can_read_progress = requires(S& s, job_id id) {
    { s.progress_of(id) } -> std::same_as<result<std::optional<std::string>>>;
};

/// What a queue object needs: it enqueues jobs and looks after them.
///
/// One thread at a time uses a session.
template <class S>
concept client_session = std::movable<S> && can_find_lanes<S> && can_limit<S> && can_enqueue<S> &&
    can_enqueue_tracked<S> && can_administrate<S> && can_inspect<S> && can_read_progress<S>;

/// Finishes, settles, promotes and claims in one atomic step. It changes a lease only while that is still there. After
/// an error nothing of it has happened, except that a lost connection leaves that in doubt. Claims from limited lanes
/// never exceed a limit at any instant, whoever else claims at the same time.
template <class S>
concept can_sync = requires(S& s, const sync_request& r, sync_reply& reply) {
    { s.sync(r, reply) } -> std::same_as<result<void>>;
};

/// Waits until a notification comes for this session, `interrupt()`, or `timeout`. Only notifications after
/// `subscribe_wakes` count. `interrupt()` may be called from any thread; it ends the present wait or else the next one.
template <class S>
concept can_wait = requires(S& s, duration timeout) {
    { s.wait(timeout) } -> std::same_as<result<wake_reason>>;
    requires noexcept(s.interrupt());
};

/// Keeps a worker known, and finds the dead ones.
///
/// - `rescue`: gives the jobs of workers that have not beaten for their lease time to others.
/// - `retire`: the worker is gone; what it still holds is claimable at once, those attempts not counted.
/// - `leases_of`: takes the worker over: this session is woken for it from now on.
/// - `give_back`: makes the jobs of these leases claimable, those attempts not counted.
template <class S>
concept can_register = requires(S& s, const worker_info& info, worker_id id) {
    { s.register_worker(info) } -> std::same_as<result<worker_id>>;
    { s.beat(id) } -> std::same_as<result<beat_reply>>;
    { s.rescue() } -> std::same_as<result<rescue_reply>>;
    { s.retire(id) } -> std::same_as<result<void>>;
    { s.leases_of(id) } -> std::same_as<result<std::vector<lease_ref>>>;
    { s.give_back(std::span<const lease_ref>{}) } -> std::same_as<result<void>>;
};

/// Reads what others have changed about the leases of a worker.
///
/// - `lease_updates`: every lease that the worker holds. While it is held others change its flags and payloads; its
///   `place` is another then, and an exchange that names the old one reports it as lost.
/// - `stop_asked`: whether, since the last call, somebody asked for a job of this session's worker to stop;
///   `lease_updates` says which.
template <class S>
concept can_follow_leases = requires(S& s, worker_id id) {
    { s.lease_updates(id) } -> std::same_as<result<std::vector<lease_update>>>;
    { s.take_stop_request() } -> std::same_as<bool>;
    requires noexcept(s.take_stop_request());
};

/// Registers the session as one that waits for the ends of these jobs: `wait` ends with `notified` when one of them has
/// ended, and now and then without. `ended` is replaced by those that have ended; of the others the outcome is kept for
/// at least `keep`. Jobs that were not tracked are tracked from then on.
template <class S>
concept can_watch = requires(S& s, std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended) {
    { s.watch(ids, keep, ended) } -> std::same_as<result<void>>;
};

/// Ends jobs that have expired, and removes records that nobody needs any more.
template <class S>
concept can_sweep = requires(S& s) {
    { s.expire_and_purge() } -> std::same_as<result<purge_reply>>;
};

/// Changes what is stored of a job while it runs: from any session, while the worker holds the job in that lease and
/// the job has not left it. Otherwise errc::lease_lost, and nothing is changed. Durable when it returns. Whoever gets
/// the job next gets this payload. The lease may be in another place afterwards, as with `lease_updates`. A job with
/// progress is tracked from then on.
template <class S>
concept can_revise = requires(S& s, const revision& r) {
    { s.revise(r) } -> std::same_as<result<void>>;
};

/// What a worker needs, and what waits for jobs or for their ends.
template <class S>
concept worker_session = client_session<S> && can_sync<S> && can_wait<S> && can_register<S> && can_follow_leases<S> &&
    can_watch<S> && can_sweep<S> && can_revise<S>;

/// An exchange in two halves, so that the worker's own thread can run jobs while the server works: `begin_sync`
/// sends it and does not wait, `end_sync` waits for the answer and reads it into the reply that was named. In
/// between nothing else is asked of the session, and request and reply stay as they are. Together they promise what
/// `exchange` promises.
template <class S>
concept can_overlap = requires(S& s, const sync_request& r, sync_reply& reply) {
    { s.begin_sync(r, reply) } -> std::same_as<result<void>>;
    { s.end_sync() } -> std::same_as<result<void>>;
};

/// Takes jobs for good, and holds one that turned out to be unreadable.
///
/// - `take`: the best jobs of these lanes that a filter lets pass are gone when it returns, durably; in an open
///   transaction, when that is committed. It passes over what another session has taken or locked.
/// - `keep`: a job that was taken becomes a held one; the reason is valid text already. A second call changes nothing.
template <class S>
concept can_take = requires(S& s, const take_request& r, take_reply& reply, const taken_record& job) {
    { s.take(r, reply) } -> std::same_as<result<void>>;
    { s.keep(job, std::string_view{}) } -> std::same_as<result<void>>;
};

/// Makes `take`, `keep` and `enqueue` between `begin` and `commit` one step. `rollback`, or the end of the session,
/// undoes it, and what was taken is claimable again at once. Others see nothing of it before the commit, and are woken
/// after it. `rollback_to_savepoint` undoes what followed the latest `savepoint` and forgets that; `release_savepoint`
/// only forgets it.
template <class S>
concept can_transact = requires(S& s) {
    { s.begin() } -> std::same_as<result<void>>;
    { s.commit() } -> std::same_as<result<void>>;
    { s.rollback() } -> std::same_as<result<void>>;
    { s.savepoint() } -> std::same_as<result<void>>;
    { s.rollback_to_savepoint() } -> std::same_as<result<void>>;
    { s.release_savepoint() } -> std::same_as<result<void>>;
};

/// Runs a statement of the user's in the open transaction. An empty optional among the parameters is null.
template <class S>
concept can_run_sql = requires(S& s, const std::string& sql, std::span<const std::optional<std::string>> parameters) {
    { s.exec(sql, parameters) } -> std::same_as<result<sql_rows>>;
};

template <class D>
concept can_connect = requires(const D& d, session_role role) {
    typename D::session;
    { d.connect(role) } -> std::same_as<result<typename D::session>>;
};

template <class D>
concept can_install = requires(const D& d) {
    { d.install() } -> std::same_as<result<void>>;
};

/// Says where jobs live: opens sessions and makes the tables. `connect` and `install` may be called from any thread.
/// The laws are in pgq/testing/laws/driver.hpp.
template <class D>
concept driver_policy =
    policy_of<D, driver_tag> && can_connect<D> && can_install<D> && client_session<typename D::session>;

/// A driver whose sessions also run workers, and wait.
template <class D>
concept worker_driver = driver_policy<D> && worker_session<typename D::session>;

template <class L, class Session>
concept loan_of = std::movable<L> && requires(const L& held, L& l) {
    { held.get() } -> std::same_as<Session&>;
    requires noexcept(held.get());
    requires noexcept(l.discard());
};

/// A driver that also lends sessions, so that the calls on one queue object need not take turns: driver::pool is one.
///
/// `borrow()` gives a session for the role `client` that is the holder's until the loan is destroyed; it may wait for
/// one, and fails after a time. `discard()` says that the session broke and is not to be lent again. Called from any
/// thread.
template <class D>
concept lending_driver = driver_policy<D> && requires(const D& d) {
    typename D::loan;
    requires loan_of<typename D::loan, typename D::session>;
    { d.borrow() } -> std::same_as<result<typename D::loan>>;
};

/// A driver whose sessions also have `async_enqueue`, `async_sync` and `async_wait`, with any Asio completion
/// token.
template <class D>
concept async_driver = driver_policy<D> && requires {
    requires D::is_async;
};

}  // namespace pgq
