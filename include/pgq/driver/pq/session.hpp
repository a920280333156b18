#pragma once

#include <pgq/driver/pq/copy.hpp>
#include <pgq/driver/pq/exchange_verb.hpp>
#include <pgq/driver/pq/link.hpp>
#include <pgq/driver/pq/looking_after.hpp>
#include <pgq/driver/pq/plain_sql.hpp>
#include <pgq/driver/pq/take_verb.hpp>
#include <pgq/driver/pq/verbs.hpp>
#include <pgq/driver/pq/wait.hpp>
#include <pgq/driver/pq/waker.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/liveness.hpp>
#include <pgq/statement/revise.hpp>
#include <pgq/statement/take.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// A connection with all verbs of a session, blocking. See concept/driver.hpp for what they mean.
class session : public looking_after<session> {
public:
    static result<session> open(const connection_options& options, session_role role) {
        session s{options, role};
        if (auto connected = s.connect(); !connected) return connected.error();
        return s;
    }

    result<std::vector<lane_id>> lanes(std::string_view queue, std::span<const lane_name> names) {
        std::vector<lane_id> found;
        const lanes_request request{queue, names};
        if (auto done = perform(lanes_verb{request, found}); !done) return done.error();
        return found;
    }

    result<void> enqueue(const enqueue_request& request, std::vector<job_id>& ids) {
        ids.clear();
        if (request.bodies->empty()) return {};
        if (auto fine = check_enqueue(request, state_->line.options().max_payload); !fine) return fine;
        if (state_->transaction.open) return enqueue_inside(request, ids);
        if (request.is_plain() && !request.packs() && request.bodies->size() >= statement::worth_copying)
            return enqueue_by_copy(request, ids);
        return perform(enqueue_verb{request, ids});
    }

    /// A stream of jobs into one lane; see copy_stream.
    copy_stream copy(lane_id lane) { return {state_->line, lane}; }

    result<void> exchange(const exchange_request& request, exchange_reply& reply) {
        return perform(exchange_verb{request, reply});
    }
    result<void> begin_exchange(const exchange_request& request, exchange_reply& reply) {
        state_->flying.emplace(request, reply);
        auto& steps = fresh();
        state_->flying->compose(steps, state_->line);
        if (steps.size() == 0) return {};
        if (auto begun = state_->line.begin(steps); !begun) return begun;
        auto sent = state_->line.proceed();  // what the socket does not take now goes when the answer is waited for
        return sent ? result<void>{} : result<void>{std::move(sent.error())};
    }
    result<void> end_exchange() {
        auto& steps = state_->steps;
        if (steps.size() != 0)
            if (auto done = until_done(state_->line, [this] { return state_->line.proceed(); }); !done) return done;
        return state_->flying->read(steps);
    }

    result<void> take(const take_request& request, take_reply& reply) {
        if (request.where)
            if (auto fine = request.where->check(); !fine) return fine;
        const take_verb verb{request, reply, state_->transaction.open};
        auto& steps = fresh();
        verb.compose(steps);
        if (auto ran = run(); !ran) return ran;
        auto promoted = verb.read(steps);
        if (!promoted) return std::move(promoted.error());
        for (const auto& job : reply.jobs) state_->transaction.note_taken(job.lane);
        if (*promoted) note_or_wake();
        return {};
    }
    result<void> keep(const taken_record& job, std::string_view reason) {
        auto& steps = fresh();
        statement::bind_keep(steps.add(statement::keep), job, reason);
        return finish_script();
    }

    result<void> begin() {
        if (state_->transaction.open) return error_info{errc::invalid_option, "a transaction is open already"};
        if (auto done = say(statement::begin); !done) return done;
        state_->transaction = {.open = true};
        return {};
    }
    /// A transaction in which a statement has failed cannot be committed: that is an error, and it is rolled back.
    result<void> commit() {
        auto over = std::exchange(state_->transaction, {});
        if (auto done = say(statement::commit); !done) return done;
        const bool refused = std::string_view{PQcmdStatus(state_->steps[0].reply.get())} == "ROLLBACK";
        wake_lanes(over.touched(refused));
        if (over.noted && !refused) wake_noted();
        if (!refused) return {};
        return error_info{make_sqlstate("25P02"), "a statement of the transaction had failed, so it was rolled back",
                          "put what may fail into a savepoint"};
    }
    result<void> rollback() {
        auto over = std::exchange(state_->transaction, {});
        if (auto done = say(statement::rollback); !done) return done;
        wake_lanes(over.touched(true));
        return {};
    }
    /// See concept/transaction.hpp. One round trip: a lease that is gone makes the rest of it fail.
    result<bool> commit_acknowledging(worker_id worker, const lease_ref& lease,
                                      std::optional<std::string_view> written) {
        const settlement done{.kind = settle_kind::done, .result = written};
        auto& steps = fresh();
        steps.add(statement::hold_lease).tid(lease.place).number(lease.id).number(worker.value);
        statement::bind_progress(steps.add(statement::settle_held), worker,
                                 {.ref = lease, .last = true, .mask = "\1", .items = {&done, 1}, .flagged = true});
        steps.add(statement::commit);
        steps.sync();
        if (state_->line.keeps_state()) {  // jobs that waited for this one
            steps.add(statement::wake_noted).number(state_->line.space());
            steps.sync();
        }
        if (auto ran = run(); !ran) return std::move(ran.error());
        const auto failed = steps.first_error(0, 3);
        if (!failed) return wake_lanes(std::exchange(state_->transaction, {}).touched(false)), true;
        if (!steps[0].error || steps[0].error->code != make_sqlstate("22012")) return *failed;
        if (auto over = rollback(); !over) return std::move(over.error());
        return false;
    }
    result<bool> acknowledge(worker_id worker, const lease_ref& lease) {
        const settlement done{.kind = settle_kind::done};
        auto& steps = fresh();
        steps.add(statement::make_durable);
        statement::bind_progress(steps.add(statement::settle_held), worker,
                                 {.ref = lease, .last = true, .mask = "\1", .items = {&done, 1}, .flagged = true});
        if (auto ended = finish_script(); !ended) return std::move(ended.error());
        const bool ours = steps[1].rows() == 1;
        if (ours && state_->line.keeps_state()) wake_noted();
        return ours;
    }
    result<bool> still_holds(worker_id worker, const lease_ref& lease) {
        auto& steps = fresh();
        steps.add(statement::still_holds).tid(lease.place).number(lease.id).number(worker.value);
        if (auto done = finish_script(); !done) return std::move(done.error());
        return steps[0].rows() == 1;
    }

    result<void> savepoint() { return say(statement::savepoint); }
    result<void> rollback_to_savepoint() {
        state_->transaction.gave_back = true;
        if (auto done = say(statement::rollback_to_savepoint); !done) return done;
        return say(statement::release_savepoint);
    }
    result<void> release_savepoint() { return say(statement::release_savepoint); }

    /// One statement of the user's inside the open transaction; it may take as long as it takes.
    result<sql_rows> exec(const std::string& sql, std::span<const std::optional<std::string>> parameters) {
        PGconn* const c = state_->line.get();
        if (PQexitPipelineMode(c) != 1) return connection_error(c, "exec");
        auto answer = run_plain(c, sql, parameters);
        if (!answer && answer.error() == errc::connection_lost) return state_->line.close(), answer;
        if (PQenterPipelineMode(c) != 1) return connection_error(c, "exec");
        if (PQtransactionStatus(c) == PQTRANS_IDLE)
            return error_info{errc::invalid_option, "a statement has ended the transaction",
                              "leave COMMIT and ROLLBACK to the call that began it"};
        return answer;
    }

    result<wake_reason> wait(duration timeout) {
        const auto until = std::chrono::steady_clock::now() + timeout;
        for (;;) {
            if (PQconsumeInput(state_->line.get()) == 0) return connection_error(state_->line.get(), "wait");
            if (state_->line.take_notified()) return wake_reason::notified;
            const auto left = until - std::chrono::steady_clock::now();
            const bool readable = poll_for(POLLIN, std::max(duration{}, duration{left}));
            if (state_->wake.drain()) return wake_reason::interrupted;
            if (!readable && std::chrono::steady_clock::now() >= until) return wake_reason::timeout;
        }
    }

    void interrupt() noexcept { state_->wake.signal(); }

    /// False when the server has closed the connection while nothing was going on.
    bool usable() noexcept {
        PGconn* c = state_->line.get();
        // The first read may bring the server's last words, and only the second its end.
        return PQstatus(c) == CONNECTION_OK && PQconsumeInput(c) == 1 && PQconsumeInput(c) == 1;
    }

    result<worker_id> register_worker(const worker_info& info) {
        auto& steps = fresh();
        statement::bind_register(steps.add(statement::register_worker), info);
        if (auto done = finish_script(); !done) return done.error();
        const worker_id id{steps[0][0].number<std::int32_t>(0)};
        if (auto heard = listen(id); !heard) return heard.error();
        return id;
    }

    result<beat_reply> beat(worker_id id) {
        auto& steps = fresh();
        steps.add(statement::beat).number(id.value);
        steps.sync();
        steps.add(statement::compact);  // in a transaction of its own: the beat counts when this fails
        steps.sync();
        if (auto ran = run(); !ran) return std::move(ran.error());
        if (steps[0].error) return *steps[0].error;
        return beat_reply{.alive = steps[0][0].number<std::int64_t>(0) == 1,
                          .work_to_rescue = steps[0][0].number<std::uint8_t>(1) != 0,
                          .stop_asked = steps[0][0].number<std::uint8_t>(2) != 0,
                          .compacted = !steps[1].error && steps[1][0].number<std::uint8_t>(0) != 0,
                          .compact_error = std::move(steps[1].error)};
    }

    result<rescue_reply> rescue() {
        auto& steps = fresh();
        steps.add(statement::bury_workers);
        steps.add(statement::rescue_leases);
        if (auto done = finish_script(); !done) return done.error();
        const rescue_reply reply{.workers = std::atoll(PQcmdTuples(steps[0].reply.get())),
                                 .returned = steps[1][0].number<std::int64_t>(0),
                                 .held = steps[1][0].number<std::int64_t>(1)};
        wake_returned(steps[1]);
        return reply;
    }

    result<void> retire(worker_id id) {
        auto& steps = fresh();
        steps.add(statement::give_back_all).number(id.value);
        steps.add(statement::unregister).number(id.value);
        if (auto done = finish_script(); !done) return done;
        wake_returned(steps[0]);
        return {};
    }

    /// Also takes the worker over: this session is from now on the one that is woken for it.
    result<std::vector<lease_ref>> leases_of(worker_id id) {
        if (auto heard = listen(id); !heard) return heard.error();
        oust_former(id);
        auto& steps = fresh();
        steps.add(statement::leases_of).number(id.value);
        if (auto done = finish_script(); !done) return done.error();
        std::vector<lease_ref> found;
        for (int i = 0; i < steps[0].rows(); ++i)
            found.push_back(
                {steps[0][i].number<std::int64_t>(0), statement::wire::load_tid(steps[0][i].cell(1).data())});
        return found;
    }

    result<void> give_back(std::span<const lease_ref> leases) {
        auto& steps = fresh();
        steps.add(statement::give_back).int8s(leases.size(), [&](std::size_t i) { return leases[i].id; });
        if (auto done = finish_script(); !done) return done;
        wake_returned(steps[0]);
        return {};
    }

    result<void> enqueue_tracked(const tracked_request& request, std::vector<enqueued_job>& jobs) {
        jobs.clear();
        if (request.bodies->empty()) return {};
        const enqueue_request plain{.bodies = request.bodies, .options = request.options};
        if (auto fine = check_enqueue(plain, state_->line.options().max_payload); !fine) return fine;
        if (!state_->transaction.open)
            return unless_contended([&] { return perform(enqueue_tracked_verb{request, jobs}); });
        auto& steps = fresh();
        statement::bind_enqueue_tracked(steps.add(statement::enqueue_tracked), request);
        if (auto done = finish_script(); !done) return done;
        auto& put = state_->transaction.put;
        put.insert(put.end(), request.lanes.begin(), request.lanes.end());
        return enqueue_tracked_verb::read_jobs(steps[0], request.bodies->size(), jobs);
    }

    result<void> watch(std::span<const job_id> ids, duration keep, std::vector<ended_job>& ended) {
        if (auto heard = listen_for_ends(); !heard) return heard;
        const std::int32_t waiter = state_->line.keeps_state() ? PQbackendPID(state_->line.get()) : 0;
        return unless_contended([&]() -> result<void> {
            auto& steps = fresh();
            statement::bind_watch(steps.add(statement::watch), ids, waiter, keep);
            if (auto done = finish_script(); !done) return done;
            read_ends(steps[0], ended);
            return {};
        });
    }

    result<std::vector<lease_news>> leases_now(worker_id id) {
        auto& steps = fresh();
        steps.add(statement::leases_of).number(id.value);
        if (auto done = finish_script(); !done) return done.error();
        std::vector<lease_news> found;
        for (int i = 0; i < steps[0].rows(); ++i) {
            const row_view row = steps[0][i];
            auto& news = found.emplace_back();
            news.ref = {row.number<std::int64_t>(0), statement::wire::load_tid(row.cell(1).data())};
            if (row.null(2)) continue;
            statement::wire::array_reader flags{row.cell(2)};
            for (std::size_t j = 0, n = flags.size(); j < n; ++j) {
                const auto one = flags.next();
                news.flags.push_back(one.size() == 2 ? statement::wire::load<std::int16_t>(one.data())
                                                     : std::int16_t{0});
            }
        }
        return found;
    }

    bool stop_asked() noexcept { return state_->line.take_stop_asked(); }

    result<sweep_reply> sweep() {
        auto& steps = fresh();
        steps.add(statement::sweep).number(std::int32_t{14});
        if (auto done = finish_script(); !done) return done.error();
        const sweep_reply reply{.expired = steps[0][0].number<std::int64_t>(0),
                                .forgotten = steps[0][0].number<std::int64_t>(1)};
        if (reply.expired > 0) wake_noted();
        return reply;
    }

    result<void> revise(const revision& r) {
        if (auto fine = check_size(r.body, state_->line.options().max_payload); !fine) return fine;
        auto& steps = fresh();
        if (r.body) revision_step(steps, statement::revise_body, r).bytes(*r.body);
        if (r.progress) revision_step(steps, statement::revise_progress, r).text(*r.progress);
        if (steps.size() == 0) return {};
        if (auto done = finish_script(); !done) return done;
        if (steps[0].rows() == 0) return errc::lease_lost;
        return {};
    }
    /// The connection and what is known about it.
    link& line() noexcept { return state_->line; }

protected:
    // For the session that also has asynchronous verbs. Made so it is not connected, and without arguments it is nothing at all.
    session() = default;
    session(const connection_options& o, session_role r) : state_{std::make_unique<shared_state>(o, r)} {}

    result<void> connect() {
        if (auto started = state_->line.start(); !started) return started;
        return until_done(state_->line, [this] { return state_->line.advance(); });
    }
    waker& wake() noexcept { return state_->wake; }

private:
    friend looking_after<session>;

    // The one that is open, and whom to wake when it is over.
    struct transaction_state {
        bool open = false;
        bool gave_back = false;  // what was taken behind a savepoint
        bool noted = false;      // jobs that have become claimable by the way
        std::vector<lane_id> put{};
        std::vector<lane_id> taken{};

        void note_taken(lane_id lane) {
            if (open) taken.push_back(lane);
        }
        std::vector<lane_id> touched(bool rolled_back) const {
            std::vector<lane_id> lanes;
            if (!rolled_back) lanes = put;
            if (rolled_back || gave_back) lanes.insert(lanes.end(), taken.begin(), taken.end());
            return lanes;
        }
    };

    struct shared_state {
        shared_state(const connection_options& o, session_role r) : line{o, r} {}
        link line;
        script steps;
        waker wake;
        std::optional<exchange_verb> flying;
        transaction_state transaction;
        std::string listen_text;
        statement::query listen_query{"listen", {}, false};
        std::string listen_all_text;
        statement::query listen_all_query{"listen", {}, false};
        std::string listen_ends_text;
        statement::query listen_ends_query{"listen", {}, false};
        bool hears_ends = false;
    };

    script& fresh() noexcept {
        state_->steps.clear();
        return state_->steps;
    }

    template <class Verb>
    result<void> perform(Verb verb) {
        auto& steps = fresh();
        verb.compose(steps, state_->line);
        if (steps.size() == 0) return verb.read(steps);
        if (auto ran = run(); !ran) return ran;
        return verb.read(steps);
    }

    // For looking_after.
    template <class Bind>
    result<const step*> ask(const statement::query& q, const Bind& bind) {
        auto& steps = fresh();
        bind(steps.add(q));
        if (auto done = finish_script(); !done) return std::move(done.error());
        return &steps[0];
    }
    bool in_transaction() const noexcept { return state_->transaction.open; }
    void tell(const std::vector<lane_id>& lanes) { wake_lanes(lanes); }
    void tell_noted() { note_or_wake(); }

    // Runs what is in the script as one transaction and fails with its first error.
    result<void> finish_script() {
        auto& steps = state_->steps;
        steps.sync();
        if (auto ran = run(); !ran) return ran;
        if (auto e = steps.first_error(0, steps.size())) return *e;
        return {};
    }

    result<void> run() {
        if (auto begun = state_->line.begin(state_->steps); !begun) return begun;
        return until_done(state_->line, [this] { return state_->line.proceed(); });
    }

    bool poll_for(short events, duration timeout) const {
        ::pollfd both[2] = {{state_->line.socket(), events, 0}, {state_->wake.descriptor(), POLLIN, 0}};
        const auto time = as_timespec(timeout);
        return ::ppoll(both, 2, &time, nullptr) > 0 && both[0].revents != 0;
    }

    // What a worker hears: its own channel, and the one for those who cannot look for sleepers.
    result<void> listen(worker_id id) {
        link& line = state_->line;
        if (line.role() != session_role::worker || !line.keeps_state()) return {};
        state_->listen_all_text = "LISTEN pgq_" + std::to_string(line.space());
        state_->listen_text = state_->listen_all_text + "_" + std::to_string(id.value);
        state_->listen_query.text = state_->listen_text;
        state_->listen_all_query.text = state_->listen_all_text;
        auto& steps = fresh();
        steps.add(state_->listen_query);
        steps.add(state_->listen_all_query);
        return finish_script();
    }

    // What those hear who wait for the ends of jobs. Each backend has a number, and so a channel, of its own.
    result<void> listen_for_ends() {
        link& line = state_->line;
        if (state_->hears_ends || !line.keeps_state()) return {};
        state_->listen_ends_text =
            "LISTEN pgq_" + std::to_string(line.space()) + "_w" + std::to_string(PQbackendPID(line.get()));
        state_->listen_ends_query.text = state_->listen_ends_text;
        fresh().add(state_->listen_ends_query);
        auto heard = finish_script();
        state_->hears_ends = static_cast<bool>(heard);
        return heard;
    }

    void oust_former(worker_id id) {
        if (!state_->line.keeps_state() || state_->line.role() != session_role::worker) return;
        auto& steps = fresh();
        steps.add(statement::oust_former).number(state_->line.space()).number(id.value);
        (void)finish_script();  // where that is not allowed, waiting for the network has to do
    }

    result<void> say(const statement::query& q) {
        fresh().add(q);
        return finish_script();
    }

    result<void> enqueue_by_copy(const enqueue_request& request, std::vector<job_id>& ids) {
        const auto& all = *request.bodies;
        auto& steps = fresh();
        steps.add(statement::draw_ids).number(static_cast<std::int32_t>(all.size()));
        if (auto drawn = finish_script(); !drawn) return drawn;
        if (auto read = enqueue_verb::read_ids(steps[0], all.size(), ids); !read) return read;
        copy_stream stream{state_->line, request.lane, ids};
        for (std::size_t i = 0; i < all.size(); ++i)
            if (auto put = stream.put(all[i], request.options[0].priority); !put) return ids.clear(), put;
        if (auto put = stream.finish(); !put) return ids.clear(), put.error();
        return {};
    }

    result<void> enqueue_inside(const enqueue_request& request, std::vector<job_id>& ids) {
        auto& steps = fresh();
        enqueue_verb verb{request, ids};
        verb.add_inserts(steps);
        if (auto done = finish_script(); !done) return done;
        state_->transaction.put.push_back(request.lane);
        return verb.read(steps);
    }

    // Now, or behind the commit.
    void note_or_wake() {
        if (state_->transaction.open) state_->transaction.noted = true;
        else wake_noted();
    }
    void wake_noted() {
        if (!state_->line.keeps_state()) return;
        auto& steps = fresh();
        steps.add(statement::wake_noted).number(state_->line.space());
        steps.sync();
        (void)run();
    }

    void wake_lanes(const std::vector<lane_id>& woken) {
        if (woken.empty()) return;
        add_wake(fresh(), state_->line, woken);
        (void)run();  // sleepers look for themselves now and then
    }

    // A row of statement::rescue_leases or give_back.
    void wake_returned(const step& s) {
        const bool ended = !s[0].null(3) || s[0].number<std::int64_t>(1) > 0;
        wake_lanes(lanes_in(s, 2));
        if (ended) wake_noted();
    }

    static statement::params& revision_step(script& steps, const statement::query& q, const revision& r) {
        auto& p = steps.add(q);
        statement::bind_revision(p, r);
        return p;
    }

    std::unique_ptr<shared_state> state_;
};

}  // namespace pgq::driver::pq
