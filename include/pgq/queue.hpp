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
#include <pgq/compose/job_writer.hpp>
#include <pgq/compose/limiters.hpp>
#include <pgq/compose/looked_after.hpp>
#include <pgq/compose/poller.hpp>
#include <pgq/compose/taking.hpp>
#include <pgq/compose/transaction.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/bodies.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/enqueue_batch.hpp>
#include <pgq/job/options.hpp>
#include <pgq/job/revision.hpp>
#include <pgq/job/taken.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <span>
#include <string>
#include <string_view>
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
class queue : public detail::looked_after<queue<Args...>, typename checked<Args...>::composition_type> {
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
                bodies body, key;
                for (const auto& job : jobs) {
                    body.clear();
                    key.clear();
                    if (auto done = writer::put(job, body, key); !done) return std::move(done.error());
                    const auto mine = key.empty() ? std::nullopt : std::optional{key[0]};
                    if (auto put = stream.put(body[0], priority, mine); !put) return put.error();
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
        if constexpr (can_take_by_hand<Job>() && diagnostic::require_worker_session<driver_type>())
            return poller<queue, Job>{*this, *hand_, std::move(options)};
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

    /// Connects and finds the lanes now instead of with the first call, to learn of trouble early.
    result<std::vector<lane_id>> lanes() { return client_->lanes(); }

    /// The limiter of one entrypoint, or of the queue, for workers that start from now on: assign one with other values.
    template <class Job>
    auto& limiter() noexcept {
        return std::get<composition_type::template index_of<Job>>(*limiters_);
    }
    auto& limiter() noexcept { return std::get<composition_type::jobs::size>(*limiters_); }

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
    using writer = detail::job_writer<composition_type>;
    template <class Job>
    static constexpr std::size_t position = composition_type::template lane_of<Job>;

    template <class Jobs, class OptionsOf>
    auto enqueue_range(Jobs&& jobs, OptionsOf options_of, bool same) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        if constexpr (!diagnostic::require_known_job<composition_type, job_type>()) {
            return result<std::vector<job_id>>{errc::invalid_option};
        } else {
            using answer = result<batch_handle_of<job_type>>;
            bodies written, keys;
            std::vector<enqueue_options> options;
            typename writer::template luggage_of<job_type> luggage;
            if (auto w = writer::template put_all<job_type>(jobs, options_of, same, written, keys, options, luggage,
                                                            keep_results_);
                !w)
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
            return detail::patiently(patience, [&] {
                return client_->with([&](auto& session, auto& lanes) {
                    const enqueue_request r{lanes[position<job_type>], &written, options, &keys};
                    return r.is_tracked() ? put_tracked<job_type>(session, r) : put<job_type>(session, r);
                });
            });
        }
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
            auto batch = [&]() -> result<enqueue_batch> {
                if (auto fine = client_->check_name(); !fine) return std::move(fine.error());
                return writer::template batch_of<job_type>(jobs, options_of, same, keep_results_);
            };
            return client_->async().template async_enqueue<Answer>(position<job_type>, batch(),
                                                                   std::forward<Token>(token));
        }
    }

    template <class Tx, class Jobs>
    result<std::vector<job_id>> enqueue_on(Tx& tx, Jobs&& jobs, const enqueue_options& all) {
        using job_type = std::remove_cvref_t<std::ranges::range_reference_t<Jobs>>;
        bodies written, keys;
        std::vector<enqueue_options> options;
        const auto options_of = [&](const auto&) { return all; };
        typename writer::template luggage_of<job_type> luggage;
        if (auto w = writer::template put_all<job_type>(jobs, options_of, true, written, keys, options, luggage,
                                                        keep_results_);
            !w)
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
    friend detail::looked_after<queue, composition_type>;
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
