#pragma once

#include <pgq/diagnostic/calls.hpp>
// The messages come first, as in compose/checked.hpp.
#include <pgq/compose/checked.hpp>
#include <pgq/compose/client.hpp>
#include <pgq/compose/coalescer.hpp>
#include <pgq/compose/flow.hpp>
#include <pgq/compose/hand.hpp>
#include <pgq/compose/handle.hpp>
#include <pgq/compose/item_range.hpp>
#include <pgq/compose/limiters.hpp>
#include <pgq/compose/luggage.hpp>
#include <pgq/compose/poller.hpp>
#include <pgq/compose/taking.hpp>
#include <pgq/compose/transaction.hpp>
#include <pgq/concept/limiter.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/bodies.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/enqueue_batch.hpp>
#include <pgq/job/key.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/revision.hpp>
#include <pgq/job/taken.hpp>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq {

struct queue_options {
    std::string name = "default";                  ///< queues of one type and different names share nothing
    duration keep_results = default_keep_results;  ///< how long the ends of jobs with a `result` can be asked for
};

namespace detail {

// What a refused queue has in the place of a driver, so that its message stays the only one.
struct no_driver {
    struct session {};
};

template <class Range, class Composition>
concept range_of_jobs = std::ranges::input_range<Range> && !Composition::template contains<std::remove_cvref_t<Range>>;

template <class Tx>
concept borrowed_transaction = requires {
    typename Tx::is_borrowed_transaction;
};

template <class Driver>
using driver_or_none = std::conditional_t<std::is_void_v<Driver>, no_driver, Driver>;

}  // namespace detail

/// A closed set of job types with the policies they run by, and a name in the database.
///
/// `Args` are, in any order, jobs (`pgq::job<T, policies of this entrypoint...>` or just `T`) and the policies of the whole
/// queue; a driver and a serializer must be among them. What does not fit together does not compile.
///
/// An object is a client: it enqueues and looks after jobs. It connects when it is first used and again after the
/// connection broke. Its members may be called from several threads, which take turns on one connection. A worker is made
/// from it and must not outlive it.
template <class... Args>
class queue {
    using check = checked<Args...>;

public:
    using composition_type = typename check::composition_type;
    static constexpr bool valid = check::valid;
    using driver_type = detail::driver_or_none<typename composition_type::driver>;
    using observer_type = typename composition_type::observer;
    using executor_type = typename composition_type::executor;

    explicit queue(driver_type driver = {}, queue_options options = {}, executor_type executor = executor_type{},
                   observer_type observer = observer_type{})
        : client_{std::make_unique<client_type>(std::move(driver), std::move(options.name),
                                                composition_type::lane_names)},
          keep_results_{options.keep_results},
          hand_{std::make_unique<detail::hand<driver_type>>()},
          executor_{std::move(executor)},
          observer_{std::make_unique<observer_type>(std::move(observer))} {}

    /// Makes the tables, or brings them up to date; harmless when they are.
    result<void> install() { return driver().install(); }

    /// What an enqueue of a job gives: its id, and ways to wait for it.
    template <class Job>
    using handle_of = handle<driver_type, Job, typename composition_type::template serializer_of<Job>>;
    template <class Job>
    using batch_handle_of = batch_handle<driver_type, Job, typename composition_type::template serializer_of<Job>>;

    /// One job. Durable when it returns, and its id is the job's for good. Errors leave nothing enqueued, except that
    /// after errc::connection_lost this is in doubt. Calls of several threads at the same time share one insert and one commit, where no more
    /// than a priority is asked for.
    template <class Job>
        requires(!detail::range_of_jobs<Job, composition_type> && !detail::borrowed_transaction<Job>)
    auto enqueue(const Job& job, const enqueue_options& options = {}) {
        if constexpr (diagnostic::require_known_job<composition_type, Job>()) {
            using answer = result<handle_of<Job>>;
            auto all = enqueue(std::span<const Job>{&job, 1}, options);
            return all ? answer{(*all)(0)} : answer{std::move(all.error())};
        } else return result<job_id>{errc::invalid_option};
    }

    /// All jobs of a range, in one round trip: all or none, ids in input order.
    template <detail::range_of_jobs<composition_type> Jobs>
    auto enqueue(Jobs&& jobs, const enqueue_options& options = {}) {
        return enqueue_range(
            std::forward<Jobs>(jobs), [&](const auto&) { return options; }, true);
    }

    /// The same with options of its own for each job: `options_of(job)` gives them. What they refer to must live until this
    /// returns.
    template <detail::range_of_jobs<composition_type> Jobs, class OptionsOf>
        requires std::is_invocable_r_v<enqueue_options, OptionsOf&, std::ranges::range_reference_t<Jobs>>
    auto enqueue(Jobs&& jobs, OptionsOf options_of) {
        return enqueue_range(std::forward<Jobs>(jobs), options_of, false);
    }

    /// In a transaction of the caller's, begun on a connection of the caller's: `jobs.enqueue(pgq::within(conn), job)`. The job
    /// exists when that transaction commits.
    template <detail::borrowed_transaction Tx, class What>
    auto enqueue(Tx tx, What&& what, const enqueue_options& options = {}) {
        if constexpr (detail::range_of_jobs<What, composition_type>) {
            return enqueue_on(tx, std::forward<What>(what), options);
        } else {
            using answer = result<job_id>;
            if constexpr (diagnostic::require_known_job<composition_type, std::remove_cvref_t<What>>()) {
                auto ids = enqueue_on(tx, std::span{&what, 1}, options);
                return ids ? answer{ids->front()} : answer{std::move(ids.error())};
            } else return answer{errc::invalid_option};
        }
    }

    /// As enqueue, by Asio: `co_await jobs.async_enqueue(job, asio::use_awaitable)`, or with any other completion token for
    /// void(std::error_code, job_id). The driver must be one of pgq/asio.hpp.
    ///
    /// Everything is copied before this returns. Calls take turns, in order, on a connection beside that of the blocking calls.
    /// Cancelled while it waits its turn (by any type), nothing is enqueued; later only terminal cancellation ends it, and the
    /// connection with it, and it is in doubt.
    template <class Job, class Token>
        requires(!detail::range_of_jobs<Job, composition_type>)
    auto async_enqueue(const Job& job, const enqueue_options& options, Token&& token) {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return;
        else
            return async_enqueue_range<job_id>(
                std::span<const Job>{&job, 1}, [&](const auto&) { return options; }, true, std::forward<Token>(token));
    }
    template <class Job, class Token>
        requires(!detail::range_of_jobs<Job, composition_type>)
    auto async_enqueue(const Job& job, Token&& token) {
        return async_enqueue(job, enqueue_options{}, std::forward<Token>(token));
    }

    /// A range: void(std::error_code, std::vector<job_id>).
    template <detail::range_of_jobs<composition_type> Jobs, class Token>
    auto async_enqueue(Jobs&& jobs, const enqueue_options& options, Token&& token) {
        return async_enqueue_range<std::vector<job_id>>(
            std::forward<Jobs>(jobs), [&](const auto&) { return options; }, true, std::forward<Token>(token));
    }
    template <detail::range_of_jobs<composition_type> Jobs, class Token>
    auto async_enqueue(Jobs&& jobs, Token&& token) {
        return async_enqueue(std::forward<Jobs>(jobs), enqueue_options{}, std::forward<Token>(token));
    }

    /// Why the latest async_enqueue that failed did, in full; its handler gets the code.
    error_info last_async_error() {
        if constexpr (!diagnostic::require_async<driver_type>()) return {};
        else return client_->async().last_error();
    }

    /// Jobs from an endless or very long range by COPY, without ids and headers; the number of them comes back. All or nothing. For less
    /// than some ten thousand jobs `enqueue` is as fast.
    template <detail::range_of_jobs<composition_type> Jobs>
    result<std::int64_t> enqueue_stream(Jobs&& jobs, std::int16_t priority = 0) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        if constexpr (!diagnostic::require_known_job<composition_type, job_type>()) return errc::invalid_option;
        else if constexpr (!diagnostic::require_no_unique_keys<composition_type, job_type>())
            return errc::invalid_option;
        else
            return client_->with([&](auto& session, auto& lanes) -> result<std::int64_t> {
                auto stream = session.copy(lanes[position<job_type>]);
                std::string body;
                bodies key;
                for (const auto& job : jobs) {
                    body.clear();
                    key.clear();
                    if (auto written = serializer<job_type>().write(job, body); !written) return written.error();
                    if (auto keyed = write_key<job_type>(job, key); !keyed) return keyed.error();
                    const auto mine = key.empty() ? std::nullopt : std::optional{key[0]};
                    if (auto put = stream.put(body, priority, mine); !put) return put.error();
                }
                return stream.finish();
            });
    }

    /// Takes the best job of a type out of the queue, at most once: it is gone when this returns, and does not come back when its taker
    /// dies. Nothing when there is none for the whole `timeout`, which is counted from the call on, whatever happens meanwhile.
    ///
    /// It is woken when somebody enqueues one, and when one becomes due. A job that cannot be read is held, with the reason, and the
    /// next one comes. Limits do not hold for what is taken by hand.
    ///
    /// Errors: those of a call on the database; after errc::connection_lost a job may have been taken. Any number of threads at once: they take turns at
    /// the queue's connection for taking, and each has a connection of its own while it waits.
    template <class Job>
    result<std::optional<taken<Job>>> get(const get_options& options = {}) {
        if constexpr (can_take_by_hand<Job>())
            return detail::get_job<composition_type, Job>(*client_, *hand_, *observer_, options);
        else return errc::invalid_option;
    }

    /// One get after the other, endlessly: `for (auto& job : jobs.items<mail>()) if (job) send(**job);`. An empty one says that nothing
    /// has come for the timeout.
    template <class Job>
    item_range<queue, Job> items(get_options options = {}) {
        return {*this, std::move(options)};
    }

    /// Jobs of a type under a lease, at least once: each is answered for by `ack`, `retry`, `hold` ..., and comes back when its taker dies. See
    /// poller and leased. Nothing happens before the first job is asked for. Limits that hold for all workers hold here, too.
    template <class Job>
    auto poll(poll_options options = {}) {
        if constexpr (can_take_by_hand<Job>()) return poller<queue, Job>{*this, *hand_, std::move(options)};
        else return no_poller<Job>{};
    }

    /// As get, in a transaction of the caller's, begun on a connection of the caller's: `jobs.take<mail>(pgq::within(conn))`. The job is gone when
    /// that commits, and back when it is rolled back.
    template <class Job, detail::borrowed_transaction Tx>
    result<std::optional<taken<Job>>> take(Tx tx, const take_options& options = {}) {
        if constexpr (can_take_by_hand<Job>())
            return detail::take_inside<composition_type, Job>(detail::through{&tx, client_.get()}, *client_, *hand_,
                                                              *observer_, options);
        else return errc::invalid_option;
    }

    /// Calls `f(tx)` and makes what it does through `tx` one transaction, on a connection of its own: `take`, `enqueue`, `exec`,
    /// `savepoint`; see queue_transaction. When it returns, that is committed; when it throws or returns a result with an
    /// error, it is rolled back, and what was taken is claimable again at once.
    ///
    /// What `f` returned comes back as a result; what it threw is thrown on. Errors beside those of `f`: those of connecting and of the commit,
    /// and after errc::connection_lost it is in doubt whether it was committed. Any number of threads at once, each with a transaction of its own.
    template <class F>
    auto transaction(F&& f) {
        if constexpr (valid && diagnostic::require_transactions<driver_type>())
            return detail::run_transaction(*this, *hand_, f);
        else return result<void>{errc::invalid_option};
    }

    /// Jobs of any types, some of which wait for others: see flow.
    auto flow() { return pgq::flow<queue>{*this}; }
    /// The first of several jobs of which each begins when the one before it is done: `jobs.chain(a).then(b).then(c).enqueue()`.
    template <class Job>
    auto chain(const Job& first, const enqueue_options& options = {}) {
        return pgq::chain<queue>{*this}.then(first, options);
    }

    /// Until these jobs have ended, at most `timeout` (errc::timeout then), whoever enqueued them. In the order of `ids`. Ids of which nothing
    /// is known end as `unknown`.
    result<std::vector<ended_job>> wait_for(std::span<const job_id> ids, duration timeout) {
        return client_->room().wait(ids, detail::deadline_in(timeout), detail::kept_for_waiters);
    }
    result<ended_job> wait_for(job_id id, duration timeout) {
        auto ended = wait_for({&id, 1}, timeout);
        if (!ended) return std::move(ended.error());
        return std::move(ended->front());
    }
    /// A job of that type with that id, to wait for it, enqueued by any program.
    template <class Job>
    handle_of<Job> find(job_id id) noexcept {
        return {id, true, *client_};
    }

    /// How far a running job is, as its handler has said last by `context::progress`. Nothing when it has said nothing, has ended or is held.
    result<std::optional<job_progress>> progress(job_id id) { return detail::progress_through(*client_, id); }

    /// Removes jobs that wait, are delayed, blocked or held, all in one step, and asks those that run to stop: within a second they see
    /// their stop tokens, wherever they run. One that ends as done all the same is done; in any other way it is cancelled. Until then it
    /// keeps its unique key and its place in every limit.
    result<cancel_reply> cancel(std::span<const job_id> ids) {
        return client_->with([&](auto& session, auto&) { return session.cancel(ids); });
    }
    result<cancel_reply> cancel(job_id id) { return cancel({&id, 1}); }

    /// Jobs of one type by their headers and where they are, in the order of their ids. A scan: for people and programs that look after jobs.
    template <class Job>
    result<std::vector<job_id>> find_all(const filter& which = {}, job_place where = anywhere,
                                         std::int64_t limit = INT64_MAX) {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return errc::invalid_option;
        else
            return client_->with([&](auto& session, auto& lanes) -> result<std::vector<job_id>> {
                std::vector<job_id> found;
                const auto mine = lanes_of<Job>(lanes);
                if (auto done = session.find({mine, where, &which, limit}, found); !done) return done.error();
                return found;
            });
    }
    /// All such jobs that are there now; see the other.
    template <class Job>
    result<cancel_reply> cancel_all(const filter& which = {}, job_place where = anywhere) {
        auto found = find_all<Job>(which, where);
        if (!found) return std::move(found.error());
        return cancel(*found);
    }
    /// The held ones among them start over: a redrive. How many.
    template <class Job>
    result<std::int64_t> requeue_all(const filter& which = {}) {
        auto found = find_all<Job>(which, job_place::held);
        if (!found) return std::move(found.error());
        return requeue(*found);
    }
    /// The attempts of a job that failed, oldest first, for some days, whatever has become of it.
    result<std::vector<failed_attempt>> failures(job_id id) {
        return client_->with([&](auto& session, auto&) { return session.failures(id); });
    }

    /// From now on jobs of this type that would be held go to the queue of that name instead, where a worker of the same queue type may
    /// run them like any others: same id, payload and priority, attempts from the beginning, and headers that say where they come from (pgq-died-in,
    /// pgq-died-of, pgq-attempts). It holds for all programs. An empty name ends it.
    template <class Job>
    result<void> dead_letters(std::string_view queue_name) {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return errc::invalid_option;
        else
            return client_->with([&](auto& session, auto& lanes) -> result<void> {
                const auto mine = lanes_of<Job>(lanes);
                if (queue_name.empty()) return session.set_dead_letters(mine, {});
                if (queue_name == name())
                    return error_info{errc::invalid_option, "a queue cannot be its own dead letters",
                                      "name another queue"};
                std::vector<lane_name> names;
                for (std::size_t i = 0; i < lanes.size(); ++i)
                    if (composition_type::lanes[i].job == composition_type::template index_of<Job>)
                        names.push_back(composition_type::lanes[i].name);
                auto theirs = session.lanes(queue_name, names);
                if (!theirs) return std::move(theirs.error());
                return session.set_dead_letters(mine, *theirs);
            });
    }

    /// Waits until fewer than `at_most` jobs of this type have not ended, at most `timeout`: errc::lane_full then. Others may
    /// enqueue in between: to be exact, say it with the enqueue, `{.at_most = n}`.
    template <class Job>
    result<void> wait_for_room(std::int64_t at_most, duration timeout) {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return errc::invalid_option;
        else
            return patiently(timeout, [&] {
                return client_->with([&](auto& session, auto& lanes) -> result<void> {
                    std::int64_t open = 0;
                    for (const lane_id lane : lanes_of<Job>(lanes)) {
                        auto n = session.open_jobs(lane, at_most);
                        if (!n) return std::move(n.error());
                        open += *n;
                    }
                    if (open < at_most) return {};
                    return error_info{errc::lane_full, "it has as many jobs as it may have",
                                      "serve it with more workers"};
                });
            });
    }

    /// Makes held jobs claimable again, with all attempts before them. How many of the ids were held.
    result<std::int64_t> requeue(std::span<const job_id> ids) {
        return client_->with([&](auto& session, auto&) { return session.requeue(ids); });
    }
    result<std::int64_t> requeue(job_id id) { return requeue({&id, 1}); }

    /// Held jobs of one type, oldest first.
    template <class Job>
    result<std::vector<held_job>> held(std::size_t limit = 100) {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return errc::invalid_option;
        else
            return client_->with([&](auto& s, auto& lanes) -> result<std::vector<held_job>> {
                std::vector<held_job> all;
                for (std::size_t i = 0; i < lanes.size() && all.size() < limit; ++i) {
                    if (composition_type::lanes[i].job != composition_type::template index_of<Job>) continue;
                    auto some = s.held(lanes[i], limit - all.size());
                    if (!some) return std::move(some.error());
                    std::move(some->begin(), some->end(), std::back_inserter(all));
                }
                return all;
            });
    }

    /// Where the jobs of one type are. This counts rows: for people and tests, not for loops.
    template <class Job>
    result<lane_counts> counts() {
        if constexpr (!diagnostic::require_known_job<composition_type, Job>()) return errc::invalid_option;
        else
            return client_->with([&](auto& s, auto& lanes) -> result<lane_counts> {
                lane_counts sum;
                for (std::size_t i = 0; i < lanes.size(); ++i) {
                    if (composition_type::lanes[i].job != composition_type::template index_of<Job>) continue;
                    auto some = s.counts(lanes[i]);
                    if (!some) return std::move(some.error());
                    sum += *some;
                }
                return sum;
            });
    }

    /// Connects and finds the lanes now instead of with the first call, to learn of trouble early.
    result<std::vector<lane_id>> lanes() { return client_->lanes(); }

    /// The limiter of one entrypoint, or of the queue, for workers that start from now on: assign one with other values.
    template <class Job>
    auto& limiter() noexcept {
        return std::get<composition_type::template index_of<Job>>(*limiters_);
    }
    auto& limiter() noexcept { return std::get<composition_type::jobs::size>(*limiters_); }

    /// The limits of this queue that hold for all workers, as the database has them: those that a worker has declared.
    result<std::vector<lane_limit>> limits() {
        return client_->with([&](auto& session, auto&) { return session.limits(name(), {}); });
    }
    /// Changes such a limit for all workers, from their next claims on. False when there is none of this entrypoint, kind and
    /// number: a worker of the queue makes them when it starts. An amount of 0 lets nothing begin.
    result<bool> change_limit(const lane_limit& limit) {
        if (limit.limit.amount < 0 || limit.limit.burst < 1 || limit.limit.per < std::chrono::microseconds{1})
            return error_info{errc::invalid_option,
                              "a limit has a negative amount, a burst below 1 or no time to count in"};
        return client_->with([&](auto& session, auto&) { return session.change_limit(name(), limit); });
    }

    /// For workers: changes what is stored of a job in hand.
    result<void> revise(const revision& r) {
        return client_->with([&](auto& session, auto&) { return session.revise(r); });
    }
    /// For workers: the limiters as they are now.
    detail::limiter_book limiter_book() const {
        detail::limiter_book book;
        add_limiters(book, typename composition_type::jobs{});
        book.add_queue(std::get<composition_type::jobs::size>(*limiters_));
        return book;
    }

    const driver_type& driver() const noexcept { return client_->driver(); }
    const std::string& name() const noexcept { return client_->name(); }
    const executor_type& executor() const noexcept { return executor_; }
    observer_type& observer() noexcept { return *observer_; }

private:
    template <class Job>
    static constexpr bool can_take_by_hand() {
        if constexpr (diagnostic::require_known_job<composition_type, Job>())
            return diagnostic::require_taking<driver_type>();
        else return false;
    }

    using client_type = detail::client<driver_type>;
    template <class Job>
    static constexpr std::size_t position = composition_type::template lane_of<Job>;

    template <class Job>
    static auto serializer() {
        return typename composition_type::template serializer_of<Job>{};
    }

    template <class Job>
    using luggage_of = detail::job_luggage<typename composition_type::template backoff_of<Job>,
                                           typename composition_type::template uniqueness_of<Job>>;

    template <class Job, class Jobs, class OptionsOf>
    static result<void> write(Jobs&& jobs, OptionsOf& options_of, bool same, bodies& out, bodies& keys,
                              std::vector<enqueue_options>& options, luggage_of<Job>& luggage, duration keep) {
        for (auto&& job : jobs) {
            if (auto written = serializer<Job>().write(job, out.bytes()); !written) return written.error();
            out.close();
            if (auto keyed = write_key<Job>(job, keys); !keyed) return keyed;
            if (!same || luggage_of<Job>::differs || options.empty())
                options.push_back(completed<Job>(luggage.pack(options_of(job), job), keep));
        }
        return {};
    }

    // Jobs with a result are tracked, so that it can be asked for.
    template <class Job>
    static enqueue_options completed(enqueue_options o, duration keep) noexcept {
        using serializer_type = typename composition_type::template serializer_of<Job>;
        if (keeps_result<Job, serializer_type> && o.keep_outcome <= duration{}) o.keep_outcome = keep;
        return o;
    }

    template <class Job>
    static result<void> write_key(const Job& job, bodies& keys) {
        using limiter_type = typename composition_type::template limiter_of<Job>;
        if constexpr (can_key<limiter_type, Job>) {
            limiter_type{}.key(job, keys.bytes());
            keys.close();
            if (!detail::is_storable_text(keys[keys.size() - 1]))
                return error_info{errc::invalid_text, "a job's key holds a zero byte or bytes that are not UTF-8"};
            if (keys[keys.size() - 1].size() > max_key_bytes)
                return error_info{errc::invalid_name, "a job's key has more than 2048 bytes", "go by a digest of it"};
        }
        return {};
    }

    template <class Jobs, class OptionsOf>
    auto enqueue_range(Jobs&& jobs, OptionsOf options_of, bool same) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        if constexpr (!diagnostic::require_known_job<composition_type, job_type>()) {
            return result<std::vector<job_id>>{errc::invalid_option};
        } else {
            using answer = result<batch_handle_of<job_type>>;
            bodies written, keys;
            std::vector<enqueue_options> options;
            luggage_of<job_type> luggage;
            if (auto w = write<job_type>(jobs, options_of, same, written, keys, options, luggage, keep_results_); !w)
                return answer{w.error()};
            if (written.empty()) return answer{batch_handle_of<job_type>{{}, {}, *client_}};
            // A driver that lends sessions lets them go side by side.
            if (!lending_driver<driver_type> && written.size() == 1 &&
                enqueue_request{.options = options, .keys = &keys}.is_plain()) {
                auto id = coalescer_->put(*client_, position<job_type>, options[0], written[0]);
                if (!id) return answer{std::move(id.error())};
                return answer{batch_handle_of<job_type>{{*id}, {}, *client_}};
            }
            duration patience{};
            for (const auto& o : options) patience = std::max(patience, o.wait_for_room);
            return patiently(patience, [&] {
                return client_->with([&](auto& session, auto& lanes) {
                    const enqueue_request r{lanes[position<job_type>], &written, options, &keys};
                    return r.is_tracked() ? put_tracked<job_type>(session, r) : put<job_type>(session, r);
                });
            });
        }
    }
    // Again and again, as long as the lane is full and there is time. Who makes room tells nobody, so this looks, ever less often.
    template <class Call>
    static auto patiently(duration patience, Call call) {
        const auto until = detail::deadline_in(patience);
        for (duration pause = std::chrono::milliseconds{5};;
             pause = std::min<duration>(pause * 2, std::chrono::milliseconds{200})) {
            auto answer = call();
            const duration left = until - std::chrono::steady_clock::now();
            if (answer || answer.error() != errc::lane_full || left <= duration{}) return answer;
            std::this_thread::sleep_for(std::min(pause, left));
        }
    }

    template <class Job>
    static std::vector<lane_id> lanes_of(const std::vector<lane_id>& all) {
        std::vector<lane_id> mine;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (composition_type::lanes[i].job == composition_type::template index_of<Job>) mine.push_back(all[i]);
        return mine;
    }

    template <class Job, class Session>
    result<batch_handle_of<Job>> put(Session& session, const enqueue_request& r) {
        std::vector<job_id> ids;
        if (auto put = session.enqueue(r, ids); !put) return put.error();
        return batch_handle_of<Job>{std::move(ids), {}, *client_};
    }
    template <class Job, class Session>
    result<batch_handle_of<Job>> put_tracked(Session& session, const enqueue_request& r) {
        std::vector<enqueued_job> jobs;
        const tracked_request all{.lanes = {&r.lane, 1}, .bodies = r.bodies, .options = r.options, .keys = r.keys};
        if (auto put = session.enqueue_tracked(all, jobs); !put) return put.error();
        std::vector<job_id> ids;
        std::vector<bool> others;
        for (const auto& j : jobs) ids.push_back(j.id), others.push_back(!j.fresh);
        return batch_handle_of<Job>{std::move(ids), std::move(others), *client_};
    }

    template <class Answer, class Jobs, class OptionsOf, class Token>
    auto async_enqueue_range(Jobs&& jobs, OptionsOf options_of, bool same, Token&& token) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        if constexpr (diagnostic::require_known_job<composition_type, job_type>() &&
                      diagnostic::require_async<driver_type>()) {
            return client_->async().template async_enqueue<Answer>(
                position<job_type>, batch_of<job_type>(jobs, options_of, same), std::forward<Token>(token));
        }
    }

    template <class Job, class Jobs, class OptionsOf>
    result<enqueue_batch> batch_of(Jobs&& jobs, OptionsOf& options_of, bool same) const {
        if (auto fine = client_->check_name(); !fine) return fine.error();
        enqueue_batch batch;
        luggage_of<Job> luggage;
        for (auto&& job : jobs) {
            if (auto written = serializer<Job>().write(job, batch.written().bytes()); !written) return written.error();
            batch.written().close();
            if (auto keyed = write_key<Job>(job, batch.keys()); !keyed) return keyed.error();
            if (!same || luggage_of<Job>::differs || !batch.has_options())
                batch.add_options(completed<Job>(luggage.pack(options_of(job), job), keep_results_));
        }
        return batch;
    }

    template <class Tx, class Jobs>
    result<std::vector<job_id>> enqueue_on(Tx& tx, Jobs&& jobs, const enqueue_options& all) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        bodies written, keys;
        std::vector<enqueue_options> options;
        const auto options_of = [&](const auto&) { return all; };
        luggage_of<job_type> luggage;
        if (auto w = write<job_type>(jobs, options_of, true, written, keys, options, luggage, keep_results_); !w)
            return w.error();
        if (written.empty()) return std::vector<job_id>{};
        auto lane = client_->with([&](auto& session, auto& lanes) -> result<lane_id> {
            tx.meet(session);
            return lanes[position<job_type>];
        });
        if (!lane) return std::move(lane.error());
        std::vector<job_id> ids;
        if (auto put = tx.enqueue({*lane, &written, options, &keys}, ids); !put) return put.error();
        return ids;
    }

    template <class... Jobs>
    void add_limiters(detail::limiter_book& book, detail::type_list<Jobs...>) const {
        (book.add(entrypoint_of<Jobs>, std::get<composition_type::template index_of<Jobs>>(*limiters_)), ...);
    }
    template <class... Jobs>
    static auto make_limiters(detail::type_list<Jobs...>) {
        return std::make_unique<
            std::tuple<typename composition_type::template limiter_of<Jobs>..., typename composition_type::limiter>>();
    }
    using limiters_type = decltype(make_limiters(typename composition_type::jobs{}));

    friend class pgq::flow<queue>;
    /// For flow: one more job of a batch of any types.
    template <class Job>
    result<void> add_to(enqueue_batch& batch, std::vector<bool>& keyed, std::vector<std::size_t>& lanes, const Job& job,
                        const enqueue_options& o) const {
        luggage_of<Job> luggage;
        if (auto written = serializer<Job>().write(job, batch.written().bytes()); !written) return written;
        batch.written().close();
        const std::size_t keys = batch.keys().size();
        if (auto wrote = write_key<Job>(job, batch.keys()); !wrote) return wrote;
        keyed.push_back(batch.keys().size() != keys);
        if (!keyed.back()) batch.keys().close();
        batch.add_options(completed<Job>(luggage.pack(o, job), keep_results_));
        lanes.push_back(position<Job>);
        return {};
    }

    std::unique_ptr<client_type> client_;
    std::unique_ptr<detail::coalescer<driver_type>> coalescer_ = std::make_unique<detail::coalescer<driver_type>>();
    duration keep_results_;
    std::unique_ptr<detail::hand<driver_type>> hand_;
    limiters_type limiters_ = make_limiters(typename composition_type::jobs{});
    executor_type executor_;
    std::unique_ptr<observer_type> observer_;
};

namespace detail {

template <class Queue, class Policy>
struct rebind_queue;
template <class... Args, class Policy>
struct rebind_queue<queue<Args...>, Policy> {
    using type = rebind_policy_t<queue<Args...>, Policy>;
};

}  // namespace detail

/// The same queue with another policy in the place of its category's: `rebind<app_queue, driver::memory>`.
template <class Queue, class Policy>
using rebind = typename detail::rebind_queue<Queue, Policy>::type;

}  // namespace pgq
