#pragma once

#include <pgq/concept/policy.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/enqueue.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/limit.hpp>
#include <pgq/protocol/pause.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/protocol/schedule.hpp>
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
    client,   ///< enqueues; its commits are as durable as the connection's settings say
    worker,   ///< claims and acknowledges; listens for notifications
    monitor,  ///< heartbeats and rescues
};

/// Why a wait ended.
enum class wake_reason : std::uint8_t { timeout, notified, interrupted };

/// Finds the lanes of a queue by name, and makes those that are missing. Returns their ids in the order of `names`.
template <class S>
concept can_find_lanes = requires(S& s, std::string_view queue, std::span<const lane_name> names) {
    { s.lanes(queue, names) } -> std::same_as<result<std::vector<lane_id>>>;
};

/// Stores the limits of a queue for all workers together.
///
/// - `limits`: stores the given limits that are missing, does not change stored ones, and returns all of the queue.
/// - `change_limit`: returns false if no such limit is stored. The change applies from the next claim of any worker on.
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

/// Puts jobs with any options into any lanes: all or none, or errc::duplicate_key. `jobs` is replaced by the result for
/// each job, in input order. If a call of the same queue has had the request id of the options within
/// `request_retention`, this stores nothing and answers what that call answered; so does `enqueue`. An open transaction
/// refuses a request id.
template <class S>
concept can_enqueue_tracked = requires(S& s, const tracked_request& r, std::vector<enqueued_job>& jobs) {
    { s.enqueue_tracked(r, jobs) } -> std::same_as<result<void>>;
};

/// Cancels, requeues, lists and counts jobs.
///
/// - `cancel`: removes jobs that do not run, in one step. Notifies the workers of the jobs that run; such a job ends as
///   cancelled unless it ends as done, discarded or held.
/// - `requeue`: makes held jobs claimable again, with no attempts counted.
/// - `held`: at most `limit` held jobs of a lane, oldest first.
/// - `counts`: how many jobs of the lane are in each state.
template <class S>
concept can_administrate = requires(S& s, std::span<const job_id> ids, lane_id lane, std::size_t limit) {
    { s.cancel(ids) } -> std::same_as<result<cancel_reply>>;
    { s.requeue(ids) } -> std::same_as<result<std::int64_t>>;
    { s.held(lane, limit) } -> std::same_as<result<std::vector<held_job>>>;
    { s.counts(lane) } -> std::same_as<result<lane_counts>>;
};

/// Finds jobs and their failed attempts, counts unfinished jobs, and routes dead letters.
///
/// - `find`: the ids, in ascending order, of the jobs that pass a filter. It scans their lanes.
/// - `failures`: the failed attempts of a job, oldest first. They are kept for some time after it has ended.
/// - `open_jobs`: how many jobs of the lane have not ended and are not held. It stops counting at `most`.
/// - `set_dead_letter_routes(lanes, to)`: from now on, jobs of `lanes[i]` that would be held go to the lane `to[i]`.
///   They are claimable there, and headers say where they come from (pgq-died-in, pgq-died-of, pgq-attempts). With an
///   empty `to` they are held.
template <class S>
concept can_inspect = requires(S& s, const find_request& r, std::vector<job_id>& found, job_id id, lane_id lane,
                               std::int64_t most, std::span<const lane_id> lanes) {
    { s.find(r, found) } -> std::same_as<result<void>>;
    { s.failures(id) } -> std::same_as<result<std::vector<failed_attempt>>>;
    { s.open_jobs(lane, most) } -> std::same_as<result<std::int64_t>>;
    { s.set_dead_letter_routes(lanes, lanes) } -> std::same_as<result<void>>;
};

/// Pauses and drains an entrypoint, a queue (empty entrypoint) or everything (empty queue).
///
/// - `pause`: from its return on no `sync` and no `take` brings a job of what is paused, and no enqueue puts one into
///   what is draining: it fails with errc::draining. Jobs go there by other ways: retries, rescues, promotions.
///   Notifies the workers as `cancel` does. False if it was so before; then only the reason changes.
/// - `resume`: ends both for exactly this scope, and notifies the workers. False if there was neither.
/// - `paused`: what is paused or draining of this queue, and of everything.
template <class S>
concept can_pause = requires(S& s, const pause_request& what, std::string_view name) {
    { s.pause(what) } -> std::same_as<result<bool>>;
    { s.resume(name, name) } -> std::same_as<result<bool>>;
    { s.paused(name) } -> std::same_as<result<std::vector<paused_scope>>>;
};

/// Says where a job of any queue and type is. Empty if nothing is known of the id. It reads one moment: a job that
/// moves is at its former or at its new place.
template <class S>
concept can_find_one = requires(S& s, job_id id) {
    { s.find_one(id) } -> std::same_as<result<std::optional<found_job>>>;
};

/// Reads the latest progress of a job, whichever attempt has reported it. Empty if the job has ended or is held.
template <class S>
concept can_read_progress = requires(S& s, job_id id) {
    { s.progress_of(id) } -> std::same_as<result<std::optional<std::string>>>;
};

/// What a queue object needs. One thread at a time uses a session.
template <class S>
concept client_session =
    std::movable<S> && can_find_lanes<S> && can_limit<S> && can_enqueue<S> && can_enqueue_tracked<S> &&
    can_administrate<S> && can_inspect<S> && can_pause<S> && can_find_one<S> && can_read_progress<S>;

/// Acknowledges, promotes and claims in one atomic step. It changes a lease only while the worker holds it. After an
/// error nothing of it has happened; after errc::connection_lost that is in doubt. Claims from limited lanes never
/// exceed a limit at any instant, however many workers claim at the same time.
template <class S>
concept can_sync = requires(S& s, const sync_request& r, sync_reply& reply) {
    { s.sync(r, reply) } -> std::same_as<result<void>>;
};

/// Waits until a notification comes for this session, for `interrupt()`, or until `timeout` is over. Only notifications
/// after `subscribe_wakes` count. Any thread may call `interrupt()`: it ends the present wait; if there is none, it
/// ends the next one at once.
template <class S>
concept can_wait = requires(S& s, duration timeout) {
    { s.wait(timeout) } -> std::same_as<result<wake_reason>>;
    requires noexcept(s.interrupt());
};

/// Registers workers, keeps them alive, and rescues the jobs of dead ones.
///
/// - `beat`: the heartbeat of the worker.
/// - `rescue`: makes the jobs of workers without a heartbeat for their lease time claimable, or holds them if they have
///   no attempts left: of those in the header `max_attempts_header` of the job, else of those in its lease.
/// - `retire`: removes the worker. The jobs that it still holds are claimable at once; these attempts do not count.
///   Returns those that are held instead, because their rows are malformed.
/// - `leases_of`: as `lease_updates` below. From now on only this session gets the worker's notifications.
/// - `give_back`: makes the jobs of these leases claimable at once; these attempts do not count. Returns as `retire`.
template <class S>
concept can_register = requires(S& s, const worker_info& info, worker_id id) {
    { s.register_worker(info) } -> std::same_as<result<worker_id>>;
    { s.beat(id) } -> std::same_as<result<beat_reply>>;
    { s.rescue() } -> std::same_as<result<rescue_reply>>;
    { s.retire(id) } -> std::same_as<result<std::vector<held_by_rescue>>>;
    { s.leases_of(id) } -> std::same_as<result<std::vector<lease_update>>>;
    { s.give_back(std::span<const lease_ref>{}) } -> std::same_as<result<std::vector<held_by_rescue>>>;
};

/// Reads what other sessions have changed about the leases of a worker.
///
/// - `lease_updates`: every lease that the worker holds, as the database has it, and whether its lane is paused. Other
///   sessions may change its flags and payloads. Then its `location` changes, too, and a sync with the old location
///   reports the lease as lost.
/// - `take_stop_request`: whether since the last call a session asked a job of this session's worker to stop, or paused
///   or resumed a lane of it; `lease_updates` says which job.
template <class S>
concept can_follow_leases = requires(S& s, worker_id id) {
    { s.lease_updates(id) } -> std::same_as<result<std::vector<lease_update>>>;
    { s.take_stop_request() } -> std::same_as<bool>;
    requires noexcept(s.take_stop_request());
};

/// Subscribes the session to the ends of these jobs: when one of them ends, `wait` returns `notified`; it may do so at
/// other times, too. `ended` is replaced by the jobs that have ended already; the outcomes of the others will be kept
/// for at least `keep`. From then on all these jobs are tracked.
template <class S>
concept can_watch = requires(S& s, std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended) {
    { s.watch(ids, keep, ended) } -> std::same_as<result<void>>;
};

/// Ends jobs that have expired, and removes old records: outcomes, unique keys and failed attempts.
template <class S>
concept can_expire_and_purge = requires(S& s) {
    { s.expire_and_purge() } -> std::same_as<result<purge_reply>>;
};

/// Changes the stored payload or progress of a job while it runs, from any session. If the worker does not hold the
/// lease any more, or the job has left it, the result is errc::lease_lost, and nothing is changed. Durable when it
/// returns. The next attempt gets the new payload. The location of the lease may change, see `lease_updates`. A job
/// with progress is tracked from then on.
template <class S>
concept can_revise = requires(S& s, const revision& r) {
    { s.revise(r) } -> std::same_as<result<void>>;
};

/// What a worker needs, and a program that waits for jobs or for their ends.
template <class S>
concept worker_session = client_session<S> && can_sync<S> && can_wait<S> && can_register<S> && can_follow_leases<S> &&
    can_watch<S> && can_expire_and_purge<S> && can_revise<S>;

/// Says what of the database makes jobs fail or wait without a message. A worker asks for it when it starts.
template <class S>
concept can_find_problems = requires(S& s) {
    { s.problems() } -> std::same_as<result<std::vector<database_problem>>>;
};

/// What async_worker needs: the verbs that a worker asks of its session while it runs, without blocking. Each does what
/// the verb without async_ does. It completes the Asio token of type `Token` with the error and the value of that verb.
template <class S, class Token>
concept async_worker_session = worker_session<S> &&
    requires(S& s, Token& t, const sync_request& r, sync_reply& reply, worker_id id, const worker_info& info) {
    s.async_sync(r, reply, t);
    s.async_wait(duration{}, t);
    s.async_lanes(std::string_view{}, std::span<const lane_name>{}, t);
    s.async_limits(std::string_view{}, std::span<const lane_limit>{}, t);
    s.async_counts(lane_id{}, t);
    s.async_paused(std::string_view{}, t);
    s.async_register_worker(info, t);
    s.async_retire(id, t);
    s.async_leases_of(id, t);
    s.async_lease_updates(id, t);
    s.async_give_back(std::span<const lease_ref>{}, t);
    requires !can_find_problems<S> || requires { s.async_problems(t); };
};

/// A sync in two halves, so that the worker's own thread can run jobs while the server works: `begin_sync` sends the
/// request and does not wait, `end_sync` waits for the answer and fills the reply that `begin_sync` got. In between the
/// caller uses neither the session nor request and reply. Both together promise what `sync` promises.
template <class S>
concept can_overlap = requires(S& s, const sync_request& r, sync_reply& reply) {
    { s.begin_sync(r, reply) } -> std::same_as<result<void>>;
    { s.end_sync() } -> std::same_as<result<void>>;
};

/// Takes jobs without a lease, and holds a job that turned out to be unreadable.
///
/// - `take`: deletes and returns the first jobs of these lanes that pass a filter. The deletion is durable when it
///   returns; in an open transaction, when that commits. It skips jobs that another session has taken or locked.
/// - `keep`: stores a taken job in the database again, as a held job. The reason is valid text already. A second call
///   changes nothing.
template <class S>
concept can_take = requires(S& s, const take_request& r, take_reply& reply, const taken_record& job) {
    { s.take(r, reply) } -> std::same_as<result<void>>;
    { s.hold_taken(job, std::string_view{}) } -> std::same_as<result<void>>;
};

/// Makes `take`, `keep` and `enqueue` between `begin` and `commit` one step. `rollback`, or the end of the session,
/// undoes it, and jobs that were taken are claimable again at once. Other sessions see nothing of it before the commit;
/// sleeping workers are woken after it. `rollback_to_savepoint` undoes what followed the latest `savepoint`, and
/// removes the savepoint; `release_savepoint` only removes it.
template <class S>
concept can_transact = requires(S& s) {
    { s.begin() } -> std::same_as<result<void>>;
    { s.commit() } -> std::same_as<result<void>>;
    { s.rollback() } -> std::same_as<result<void>>;
    { s.savepoint() } -> std::same_as<result<void>>;
    { s.rollback_to_savepoint() } -> std::same_as<result<void>>;
    { s.release_savepoint() } -> std::same_as<result<void>>;
};

/// Runs a statement of the user in the open transaction. An empty optional among the parameters is an SQL null.
template <class S>
concept can_run_sql = requires(S& s, const std::string& sql, std::span<const std::optional<std::string>> parameters) {
    { s.exec(sql, parameters) } -> std::same_as<result<sql_rows>>;
};

/// Stores the schedules of a queue and fires them; see docs/design/schedules.md.
///
/// - `declare_schedule`: stores a schedule under its name. It returns false if it is stored already as it is. A pause
///   stays. If the times differ, no tick before now is fired; otherwise `next_at` stays.
/// - `schedules`: all of the queue (empty: of all). If the reply says `notifies`, `wait` ends when one is declared or
///   changed from now on. `kept` are names of schedules that the program still declares, for `prune_schedules`.
/// - `fire_schedules`: for each element, if `next_at` is the expected one, sets the next one and enqueues the job for
///   each tick, in one step. A tick is fired once, however many sessions call it. It never fires a tick before its
///   time by the clock of the database, nor while the schedule is paused.
/// - `change_schedule`: pauses, resumes, removes or fires one.
/// - `prune_schedules`: removes those that no program has declared for so long, and returns how many.
template <class S>
concept can_schedule = requires(S& s, std::string_view text, const schedule_definition& d,
                                std::span<const std::string> kept, std::span<const schedule_firing> all,
                                schedule_change change, duration unused_for) {
    { s.declare_schedule(text, d) } -> std::same_as<result<bool>>;
    { s.schedules(text, kept) } -> std::same_as<result<schedule_list>>;
    { s.fire_schedules(text, all) } -> std::same_as<result<fire_reply>>;
    { s.change_schedule(text, text, change, text) } -> std::same_as<result<schedule_change_reply>>;
    { s.prune_schedules(text, unused_for) } -> std::same_as<result<std::int64_t>>;
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

/// Opens sessions at the place where jobs are stored, and makes the tables. Any thread may call `connect` and
/// `install`. The laws are in pgq/testing/laws/driver.hpp.
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
/// `borrow()` returns a session of the role `client`, which the caller owns until the loan is destroyed. If none is
/// free it waits, and fails after a time. `discard()` says that the session broke and must not be lent again. Any
/// thread may call them.
template <class D>
concept lending_driver = driver_policy<D> && requires(const D& d) {
    typename D::loan;
    requires loan_of<typename D::loan, typename D::session>;
    { d.borrow() } -> std::same_as<result<typename D::loan>>;
};

/// A driver whose sessions also have asynchronous verbs, with any Asio completion token. For async_worker these are
/// the verbs of async_worker_session.
template <class D>
concept async_driver = driver_policy<D> && requires(const D& d) {
    requires D::is_async;
    typename D::async_client;  // for async_enqueue of a queue
    d.get_executor();          // where completions are called, unless a token says otherwise
};

}  // namespace pgq
