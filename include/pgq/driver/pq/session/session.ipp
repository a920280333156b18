#pragma once

#include <pgq/driver/pq/command/acknowledge.hpp>
#include <pgq/driver/pq/command/admin/revise.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/rescue.hpp>
#include <pgq/driver/pq/command/subscription.hpp>
#include <pgq/driver/pq/command/sync.hpp>
#include <pgq/driver/pq/command/take.hpp>
#include <pgq/driver/pq/command/transaction.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/command/watch.hpp>
#include <pgq/driver/pq/command/worker_leases.hpp>
#include <pgq/driver/pq/command/worker_registration.hpp>
#include <pgq/driver/pq/connection/client_encoding.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/self_pipe.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/driver/pq/connection/text_query.hpp>
#include <pgq/driver/pq/session/channel_opening.hpp>
#include <pgq/driver/pq/session/listener.hpp>
#include <pgq/driver/pq/session/own_channel.hpp>
#include <pgq/driver/pq/session/session.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/take.hpp>

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace pgq::driver::pq {

// A sync in two halves.
struct session::overlapped {
    overlapped(const sync_request& r, sync_reply& reply, own_channel& c)
        : verb{r, reply}, run{verb, c.steps, c.info, c.later}, sent{run.begin()} {}
    command::sync verb;
    command::execution<command::sync> run;
    bool sent;
};
struct session::shared_state {
    shared_state(const connection_options& o, session_role r, const call_limit* l)
        : channel{o, r, l}, beside{listener::of(o, r, l)} {}
    own_channel channel;
    std::unique_ptr<listener> beside;
    self_pipe wake;
    std::optional<overlapped> in_flight;
    std::vector<lane_id> taken;  // in the open transaction
    bool gave_back = false;      // what was taken behind a savepoint
};
// A transaction that is over.
struct session::transaction_end {
    command::wake_list put;
    std::vector<lane_id> taken;
    bool gave_back;
};

PGQ_DECL session::session() noexcept = default;
PGQ_DECL session::session(session&&) noexcept = default;
PGQ_DECL session& session::operator=(session&&) noexcept = default;
PGQ_DECL session::~session() = default;

PGQ_DECL result<session> session::open(const connection_options& options, session_role role, const call_limit* limit) {
    session s{options, role, limit};
    if (auto connected = s.connect(); !connected) return connected.error();
    return s;
}

template <class Command>
auto session::run(Command c) {
    return run_command(state_->channel, c);
}

PGQ_DECL result<void> session::enqueue(const enqueue_request& r, std::vector<job_id>& put) {
    const bool many = r.bodies->size() >= statement::worth_copying && r.is_plain() && !r.packs();
    if (!many || state_->channel.info.in_transaction) return run(command::enqueue{r, put});
    for (int tries = 1;; ++tries) {
        auto done = enqueue_by_copy(r, put);
        if (done || tries == command::most_tries || !command::is_undone_by_conflict(done.error())) return done;
    }
}

PGQ_DECL copy_stream session::copy(lane_id lane) { return {state_->channel, lane}; }

PGQ_DECL result<void> session::sync(const sync_request& r, sync_reply& reply) {
    if (auto updated = update_subscription(r); !updated) return updated;
    return run(command::sync{r, reply});
}

PGQ_DECL result<void> session::begin_sync(const sync_request& r, sync_reply& reply) {
    if (auto updated = update_subscription(r); !updated) return updated;
    auto& line = state_->channel.line;
    auto& now = state_->in_flight.emplace(r, reply, state_->channel);
    if (!now.sent) return {};
    if (auto begun = line.begin(state_->channel.steps); !begun) return begun;
    auto sent = line.advance();  // what the socket does not take now goes when the answer is waited for
    return sent ? result<void>{} : result<void>{std::move(sent.error())};
}

PGQ_DECL result<void> session::end_sync() {
    auto& now = *state_->in_flight;
    if (now.sent) {
        if (auto came = state_->channel.receive(); !came) return came;
        (void)now.run.next();
    }
    return now.run.answer();
}

PGQ_DECL result<void> session::take(const take_request& r, take_reply& reply) {
    auto took = run(command::take{r, reply});
    if (took && state_->channel.info.in_transaction)
        for (const auto& job : reply.jobs) state_->taken.push_back(job.lane);
    return took;
}

PGQ_DECL result<void> session::begin() {
    auto& info = state_->channel.info;
    if (info.in_transaction) return error_info{errc::invalid_option, "a transaction is open already"};
    if (auto begun = run(command::control{statement::begin}); !begun) return begun;
    info.in_transaction = true;
    info.wakes = wake_timing::later;
    return {};
}

PGQ_DECL result<void> session::commit() {
    const transaction_end end = end_transaction();
    auto committed = run(command::commit{});
    if (!committed) return std::move(committed.error());
    wake_for(end, *committed);
    return *committed ? result<void>{} : command::commit_refused();
}

PGQ_DECL result<void> session::rollback() {
    const transaction_end end = end_transaction();
    if (auto done = run(command::control{statement::rollback}); !done) return done;
    wake_for(end, false);
    return {};
}

PGQ_DECL result<void> session::savepoint() { return run(command::control{statement::savepoint}); }

PGQ_DECL result<void> session::rollback_to_savepoint() {
    state_->gave_back = true;
    return run(command::rollback_to_savepoint{});
}

PGQ_DECL result<void> session::release_savepoint() { return run(command::control{statement::release_savepoint}); }

PGQ_DECL result<bool> session::commit_acknowledging(worker_id worker, const lease_ref& lease,
                                                    std::optional<std::string_view> written) {
    auto ended = run(command::commit_acknowledging{worker, lease, written});
    if (!ended) return ended;
    if (*ended) return wake_for(end_transaction(), true), true;
    if (auto over = rollback(); !over) return std::move(over.error());
    return false;
}

PGQ_DECL result<bool> session::acknowledge(worker_id worker, const lease_ref& l) {
    return run(command::acknowledge{worker, l});
}

PGQ_DECL result<bool> session::owns_lease(worker_id worker, const lease_ref& l) {
    return run(command::owns_lease{worker, l});
}

PGQ_DECL result<sql_rows> session::exec(const std::string& sql,
                                        std::span<const std::optional<std::string>> parameters) {
    PGconn* const c = line().get();
    if (PQexitPipelineMode(c) != 1) return connection_error(c, "exec");
    auto answer = exec_in_time(c, sql, parameters);
    if (!answer && answer.error() == errc::connection_lost) line().close();
    if (line().get() == nullptr) return answer;
    if (!speaks_utf8(c)) {
        line().close();  // also rolls back
        return error_info{errc::invalid_option, "a statement has changed client_encoding",
                          "leave it at UTF8: the library's text is UTF-8"};
    }
    if (PQenterPipelineMode(c) != 1) return connection_error(c, "exec");
    if (PQtransactionStatus(c) == PQTRANS_IDLE)
        return error_info{errc::invalid_option, "a statement has ended the transaction",
                          "leave COMMIT and ROLLBACK to the call that began it"};
    return answer;
}

PGQ_DECL result<wake_reason> session::wait(duration timeout) {
    const auto until = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        connection& from = notified_line();
        if (PQconsumeInput(from.get()) == 0) return connection_error(from.get(), "wait");
        if (from.take_notified()) return wake_reason::notified;
        const auto left = until - std::chrono::steady_clock::now();
        const bool readable = poll_for(POLLIN, std::max(duration{}, duration{left}));
        if (state_->wake.drain()) return wake_reason::interrupted;
        if (!readable && std::chrono::steady_clock::now() >= until) return wake_reason::timeout;
    }
}

PGQ_DECL void session::interrupt() noexcept { state_->wake.signal(); }

PGQ_DECL result<worker_id> session::register_worker(const worker_info& w) {
    if (auto open = open_listener(); !open) return std::move(open.error());
    auto id = run(command::register_worker{w});
    if (!id) return id;
    if (auto updated = update_listener(command::listen_as_worker{*id}); !updated) return std::move(updated.error());
    return id;
}

PGQ_DECL result<beat_reply> session::beat(worker_id id, const minute_report& report) {
    return run(command::beat{id, report});
}

PGQ_DECL result<rescue_reply> session::rescue() { return run(command::rescue{}); }

PGQ_DECL result<std::vector<held_by_rescue>> session::retire(worker_id id, const minute_report& report) {
    return run(command::retire{id, report});
}

PGQ_DECL result<std::vector<lease_update>> session::leases_of(worker_id id) {
    if (auto updated = update_listener(command::take_worker_over{id}); !updated) return std::move(updated.error());
    return run(command::leases_of{id});
}

PGQ_DECL result<std::vector<held_by_rescue>> session::give_back(std::span<const lease_ref> leases) {
    return run(command::give_back{leases});
}

PGQ_DECL result<std::vector<lease_update>> session::lease_updates(worker_id id) {
    return run(command::lease_updates{id});
}

PGQ_DECL bool session::take_stop_request() noexcept { return notified_line().take_stop_request(); }
PGQ_DECL result<purge_reply> session::expire_and_purge() { return run(command::expire_and_purge{}); }
PGQ_DECL result<void> session::revise(const revision& r) { return run(command::admin::revise{r}); }

PGQ_DECL result<void> session::watch(std::span<const job_id> watched, duration keep_for,
                                     std::vector<ended_job>& ended) {
    if (auto updated = update_listener(command::listen_for_ends{}); !updated) return updated;
    return run(command::watch{watched, keep_for, ended});
}

PGQ_DECL bool session::usable() noexcept {
    return line().usable() && (&notified_line() == &line() || notified_line().usable());
}

PGQ_DECL connection& session::line() noexcept { return state_->channel.line; }
PGQ_DECL const std::string& session::schema() noexcept { return line().options().schema; }
PGQ_DECL session_info& session::info() noexcept { return state_->channel.info; }
PGQ_DECL session::session(const connection_options& o, session_role r, const call_limit* l)
    : state_{std::make_unique<shared_state>(o, r, l)} {}

PGQ_DECL result<void> session::connect() { return open(state_->channel); }
PGQ_DECL listener* session::beside() noexcept { return state_->beside.get(); }

PGQ_DECL connection& session::notified_line() noexcept {
    return beside() != nullptr && beside()->is_open() ? beside()->channel.line : line();
}

PGQ_DECL own_channel& session::channel() noexcept { return state_->channel; }
PGQ_DECL self_pipe& session::wake() noexcept { return state_->wake; }

PGQ_DECL result<void> session::open(own_channel& c) {
    channel_opening opening{c};
    if (auto started = opening.start(std::chrono::steady_clock::now()); !started) return started.error();
    return c.until_done([&] { return opening.advance(std::chrono::steady_clock::now()); }, opening);
}

PGQ_DECL result<void> session::open_listener() {
    if (beside() == nullptr || beside()->is_open()) return {};
    if (auto opened = open(beside()->channel); !opened) return listener::refused(std::move(opened.error()));
    return beside()->opened(info());
}

template <class Command>
result<void> session::update_listener(Command c) {
    if (beside() == nullptr) return {};
    if (auto open = open_listener(); !open) return open;
    return run_command(beside()->channel, c);
}

PGQ_DECL result<void> session::update_subscription(const sync_request& r) {
    if (beside() == nullptr || !(r.subscribe_wakes || r.unsubscribe_wakes)) return {};
    return update_listener(command::subscription{r});
}

PGQ_DECL session::transaction_end session::end_transaction() {
    auto& info = state_->channel.info;
    info.in_transaction = false;
    info.wakes = wake_timing::behind_commit;
    return {std::exchange(state_->channel.later, {}), std::exchange(state_->taken, {}),
            std::exchange(state_->gave_back, false)};
}

PGQ_DECL result<sql_rows> session::exec_in_time(PGconn* c, const std::string& sql,
                                                std::span<const std::optional<std::string>> parameters) {
    auto& channel = state_->channel;
    channel.steps.clear();  // their answers were read
    text_query query;
    if (auto begun = query.begin(c, sql, parameters); !begun) return std::move(begun.error());
    const auto& options = line().options();
    const bool has_own = options.exec_timeout > duration{};
    call_time time{line(), channel.limit, std::chrono::steady_clock::now(),
                   has_own ? options.exec_timeout : options.response_timeout};
    bool cancelled = false;
    std::optional<result<sql_rows>> rows;  // the connection may be closed behind the answer
    const auto advance = [&] {
        cancelled = line().was_cancelled();
        if (rows) return result<need>{need::nothing};
        auto wanted = query.advance(c);
        if (wanted && *wanted == need::nothing) rows.emplace(query.rows(c));
        return wanted;
    };
    if (auto came = channel.until_done(advance, time); !came) {
        came.error().statement = "exec";
        return std::move(came.error());
    }
    if (!*rows && cancelled) explain_cancel(rows->error());
    return std::move(*rows);
}

PGQ_DECL void session::wake_for(const transaction_end& end, bool committed) {
    command::wake_list whom = committed ? end.put : command::wake_list{};
    if (!committed || end.gave_back) whom.add({.lanes = end.taken});
    (void)run(command::wake{std::move(whom)});
}

PGQ_DECL bool session::poll_for(short events, duration timeout) {
    ::pollfd both[2] = {{notified_line().socket(), events, 0}, {state_->wake.descriptor(), POLLIN, 0}};
    const auto time = as_timespec(timeout);
    return ::ppoll(both, 2, &time, nullptr) > 0 && both[0].revents != 0;
}

PGQ_DECL result<void> session::enqueue_by_copy(const enqueue_request& r, std::vector<job_id>& put) {
    const auto& all = *r.bodies;
    put.clear();
    if (auto fine = command::check_jobs(all, r.options, state_->channel.info); !fine) return fine;
    if (auto drawn = run(command::draw_ids{all.size(), put}); !drawn) return drawn;
    copy_stream stream{state_->channel, r.lane, put};
    for (std::size_t i = 0; i < all.size(); ++i)
        if (auto sent = stream.put(all[i], r.options[0].priority); !sent) return put.clear(), sent;
    if (auto sent = stream.finish(); !sent) return put.clear(), std::move(sent.error());
    return {};
}

}  // namespace pgq::driver::pq
