#pragma once

#include <pgq/driver/pq/asio/listening.hpp>
#include <pgq/driver/pq/asio/operation.hpp>
#include <pgq/driver/pq/asio/work.hpp>
#include <pgq/driver/pq/command/admin/cancel.hpp>
#include <pgq/driver/pq/command/admin/find.hpp>
#include <pgq/driver/pq/command/admin/inspect.hpp>
#include <pgq/driver/pq/command/admin/limits.hpp>
#include <pgq/driver/pq/command/admin/pause.hpp>
#include <pgq/driver/pq/command/admin/problems.hpp>
#include <pgq/driver/pq/command/admin/revise.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/lanes.hpp>
#include <pgq/driver/pq/command/rescue.hpp>
#include <pgq/driver/pq/command/subscription.hpp>
#include <pgq/driver/pq/command/sync.hpp>
#include <pgq/driver/pq/command/watch.hpp>
#include <pgq/driver/pq/command/worker_leases.hpp>
#include <pgq/driver/pq/command/worker_registration.hpp>
#include <pgq/driver/pq/connection/self_pipe.hpp>
#include <pgq/driver/pq/session/listener.hpp>
#include <pgq/driver/pq/session/own_channel.hpp>
#include <pgq/driver/pq/session/session.hpp>
#include <pgq/time/call_limit.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/compose.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// A session that also has each verb of a client or a worker asynchronously, with any completion token: `async_beat` is
/// `beat` without blocking. What a verb returns is the second argument of the handler.
///
/// One operation at a time, of either kind, and none while a transaction is open. Destroy the session only after the
/// operation has completed. What a request points to, and the place for the reply, must live until the completion; the
/// request itself is copied. Handlers are called on their own executor, or else on the driver's, never inside the
/// initiating function.
///
/// Errors are codes; `last_error()` has the rest. Operations accept terminal cancellation only: a cancelled one ends
/// with asio::error::operation_aborted and closes the session, and whether the server has done what it asked for is in
/// doubt, because the answer may still be on its way. `async_wait` and `async_connect` accept all kinds of cancellation
/// and leave everything as it was.
class async_session : public session {
public:
    /// No session yet: to be assigned to, and nothing else.
    async_session() = default;

    static result<async_session> open(const asio::any_io_executor& executor, const connection_options& options,
                                      session_role role, const call_limit* limit = nullptr) {
        async_session s{executor, options, role, limit};
        if (auto connected = s.connect(); !connected) return connected.error();
        return s;
    }
    template <asio::completion_token_for<void(std::error_code, async_session)> Token>
    static auto async_open(const asio::any_io_executor& executor, const connection_options& options, session_role role,
                           const call_limit* limit, Token&& token) {
        async_session s{executor, options, role, limit};
        const auto core = s.core_;
        return compose<connect_work<async_session>, void(std::error_code, async_session)>(token, core, std::move(s));
    }

    /// Runs one command of driver/pq/command; completes with the value of its result, if it has one.
    template <class Command, class Token>
    auto async_run(Command c, Token&& token) {
        using work = command_work<Command>;
        return compose<work, signature_of<typename work::value_type>>(token, core_, std::move(c));
    }

    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_sync(const sync_request& r, sync_reply& reply, Token&& token) {
        std::optional<command::subscription> change;
        if (r.subscribe_wakes || r.unsubscribe_wakes) change.emplace(r);
        return async_run_with_listener(change, command::sync{r, reply}, nullptr, token);
    }
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_enqueue(const enqueue_request& r, std::vector<job_id>& put, Token&& token) {
        return async_run(command::enqueue{r, put}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_enqueue_tracked(const tracked_request& r, std::vector<enqueued_job>& put, Token&& token) {
        return async_run(command::enqueue_tracked{r, put}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, wake_reason)> Token>
    auto async_wait(duration timeout, Token&& token) {
        const bool beside_listens = beside() != nullptr && beside()->is_open();
        return compose<wait_work, void(std::error_code, wake_reason)>(token, beside_listens ? beside_core_ : core_,
                                                                      timeout);
    }

    template <asio::completion_token_for<void(std::error_code, std::vector<lane_id>)> Token>
    auto async_lanes(std::string_view queue, std::span<const lane_name> names, Token&& token) {
        return async_run(command::lanes{queue, names}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<lane_limit>)> Token>
    auto async_limits(std::string_view queue, std::span<const lane_limit> declared, Token&& token) {
        return async_run(command::admin::limits{queue, declared}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, bool)> Token>
    auto async_change_limit(std::string_view queue, const lane_limit& limit, Token&& token) {
        return async_run(command::admin::change_limit{queue, limit}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, bool)> Token>
    auto async_pause(const pause_request& what, Token&& token) {
        return async_run(command::admin::pause{what}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, bool)> Token>
    auto async_resume(std::string_view queue, std::string_view entrypoint, Token&& token) {
        return async_run(command::admin::resume{queue, entrypoint}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<paused_scope>)> Token>
    auto async_paused(std::string_view queue, Token&& token) {
        return async_run(command::admin::paused{queue}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, worker_id)> Token>
    auto async_register_worker(const worker_info& info, Token&& token) {
        return async_run_with_listener(
            std::optional<command::listen_as_worker>{}, command::register_worker{info},
            [](worker_id id) { return command::listen_as_worker{id}; }, token);
    }
    template <asio::completion_token_for<void(std::error_code, beat_reply)> Token>
    auto async_beat(worker_id id, Token&& token) {
        return async_run(command::beat{id}, std::forward<Token>(token));
    }
    /// `report` must live until the completion, here and below.
    template <asio::completion_token_for<void(std::error_code, beat_reply)> Token>
    auto async_beat(worker_id id, const minute_report& report, Token&& token) {
        return async_run(command::beat{id, report}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, rescue_reply)> Token>
    auto async_rescue(Token&& token) {
        return async_run(command::rescue{}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<held_by_rescue>)> Token>
    auto async_retire(worker_id id, Token&& token) {
        return async_run(command::retire{id}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<held_by_rescue>)> Token>
    auto async_retire(worker_id id, const minute_report& report, Token&& token) {
        return async_run(command::retire{id, report}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<lease_update>)> Token>
    auto async_leases_of(worker_id id, Token&& token) {
        return async_run_with_listener(std::optional{command::take_worker_over{id}}, command::leases_of{id}, nullptr,
                                       token);
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<lease_update>)> Token>
    auto async_lease_updates(worker_id id, Token&& token) {
        return async_run(command::lease_updates{id}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<held_by_rescue>)> Token>
    auto async_give_back(std::span<const lease_ref> leases, Token&& token) {
        return async_run(command::give_back{leases}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, purge_reply)> Token>
    auto async_expire_and_purge(Token&& token) {
        return async_run(command::expire_and_purge{}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_revise(const revision& r, Token&& token) {
        return async_run(command::admin::revise{r}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::optional<std::string>)> Token>
    auto async_progress_of(job_id id, Token&& token) {
        return async_run(command::admin::progress_of{id}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_watch(std::span<const job_id> ids, duration keep_for, std::vector<ended_job>& ended, Token&& token) {
        return async_run_with_listener(std::optional{command::listen_for_ends{}}, command::watch{ids, keep_for, ended},
                                       nullptr, token);
    }
    template <asio::completion_token_for<void(std::error_code, cancel_reply)> Token>
    auto async_cancel(std::span<const job_id> ids, Token&& token) {
        return async_run(command::admin::cancel{ids}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::int64_t)> Token>
    auto async_requeue(std::span<const job_id> ids, Token&& token) {
        return async_run(command::admin::requeue{ids}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<held_job>)> Token>
    auto async_held(lane_id lane, std::size_t limit, Token&& token) {
        return async_run(command::admin::held{lane, limit}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, lane_counts)> Token>
    auto async_counts(lane_id lane, Token&& token) {
        return async_run(command::admin::counts{lane}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_find(const find_request& r, std::vector<job_id>& found, Token&& token) {
        return async_run(command::admin::find{r, found}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<failed_attempt>)> Token>
    auto async_failures(job_id id, Token&& token) {
        return async_run(command::admin::failures{id}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::int64_t)> Token>
    auto async_open_jobs(lane_id lane, std::int64_t most, Token&& token) {
        return async_run(command::admin::open_jobs{lane, most}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code)> Token>
    auto async_set_dead_letter_routes(std::span<const lane_id> from, std::span<const lane_id> to, Token&& token) {
        return async_run(command::set_dead_letter_routes{from, to}, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, std::vector<database_problem>)> Token>
    auto async_problems(Token&& token) {
        return async_run(command::admin::problems{}, std::forward<Token>(token));
    }

    /// From any thread; ends a wait of either kind.
    void interrupt() noexcept {
        core_->interrupt();
        if (beside_core_) beside_core_->interrupt();
    }

    /// Why the latest asynchronous operation that failed did. For its handler. Also when that was async_connect: the
    /// session that comes with its error can tell this and nothing else.
    error_info last_error() const { return core_ ? core_->last_error : error_info{}; }

private:
    async_session(const asio::any_io_executor& executor, const connection_options& options, session_role role,
                  const call_limit* limit)
        : session{options, role, limit}, core_{std::make_shared<async_core>(executor, channel(), wake())} {
        if (beside() != nullptr) beside_core_ = std::make_shared<async_core>(executor, beside()->channel, wake());
    }

    template <class T>
    struct completion {
        using type = void(std::error_code, T);
    };
    template <class T>
        requires std::is_void_v<T>
    struct completion<T> {
        using type = void(std::error_code);
    };
    template <class T>
    using signature_of = typename completion<T>::type;

    template <class Work, class Signature, class Token, class... Args>
    static auto compose(Token& token, std::shared_ptr<async_core> core, Args&&... args) {
        auto work = std::make_unique<Work>(*core, std::forward<Args>(args)...);
        const auto executor = core->executor();
        return asio::async_compose<Token, Signature>(async_op<Work>{std::move(core), std::move(work)}, token, executor);
    }

    // Runs a command. A listener is told of it: before, and behind it what `after` makes of its value.
    template <class Before, class Command, class After, class Token>
    auto async_run_with_listener(std::optional<Before> before, Command c, After after, Token& token) {
        using work = command_work<Command>;
        const bool updates = before || !std::is_same_v<After, std::nullptr_t>;
        if (!updates || beside() == nullptr) return async_run(std::move(c), token);
        const auto executor = core_->executor();
        return asio::async_compose<Token, signature_of<typename work::value_type>>(
            listening_op<Command, Before, After>{core_, beside_core_, *beside(), std::move(c), std::move(before),
                                                 after},
            token, executor);
    }

    std::shared_ptr<async_core> core_;
    std::shared_ptr<async_core> beside_core_{};  // of the listener
};

}  // namespace pgq::driver::pq
