#pragma once

#include <pgq/client/completion_watcher.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/ends_session.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/call_limit.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/fair_mutex.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

inline result<void> check_queue_name(std::string_view name) {
    if (name.empty() || name.size() > max_name_bytes || !is_storable_text(name))
        return error_info{errc::invalid_name, "a queue's name is UTF-8 text of 1 to 255 bytes"};
    return {};
}

/// The part of a queue object's connection that only an asynchronous driver has.
template <class Driver>
struct async_side {};
template <async_driver Driver>
struct async_side<Driver> {
    std::optional<typename Driver::async_client> client{};
};

/// The session of a queue object, and the lanes of its entrypoints. It connects with the first call, and again with the
/// first call after the connection broke.
///
/// Any thread may call it. All threads share one session, one thread at a time. If the driver lends sessions
/// (driver::pool), each call borrows one instead.
template <class Driver>
class client_connection {
    template <class Use>
    using answer_of = decltype(std::declval<Use&>()(std::declval<typename Driver::session&>(),
                                                    std::declval<std::vector<lane_id>&>()));

public:
    client_connection(Driver driver, std::string queue_name, std::span<const lane_name> names)
        : driver_{std::move(driver)}, name_{std::move(queue_name)}, names_{names} {}

    const Driver& driver() const noexcept { return driver_; }
    const std::string& name() const noexcept { return name_; }

    /// Calls `use(session, lanes)` once. If the connection breaks during the call, the call is in doubt, and the next
    /// call connects again. At `deadline` the call ends even if the server is silent, if the driver supports that.
    template <class Use>
    answer_of<Use> with(Use use, steady_time deadline = steady_time::max()) {
        if constexpr (lending_driver<Driver>) return with_loan(use, deadline);
        else {
            std::unique_lock lock{mutex_, std::defer_lock};
            if (!lock_until(lock, deadline)) return busy();
            limit_.set(deadline);
            if (auto ready = prepare(); !ready) return ready.error();
            auto answer = use(*session_, lanes_);
            if (!answer && ends_session(answer.error())) session_.reset();
            return answer;
        }
    }

    /// See queue::cancel. This and handles call it.
    result<cancel_reply> cancel(std::span<const job_id> ids) {
        auto reply = with([&](auto& session, auto&) { return session.cancel(ids); });
        if (reply && told_.call != nullptr) told_.call(told_.owner, *reply);
        return reply;
    }
    /// Who is told of each cancel. Before the first call of another member.
    struct cancel_report {
        void* owner = nullptr;
        void (*call)(void* owner, const cancel_reply&) noexcept = nullptr;
    };
    void report_cancels_to(cancel_report to) noexcept { told_ = to; }

    /// The names of the queue's lanes; another session finds the lanes by them.
    result<std::span<const lane_name>> lane_names() const {
        if (auto fine = check_queue_name(name_); !fine) return fine.error();
        return names_;
    }
    result<std::vector<lane_id>> lanes(steady_time deadline = steady_time::max()) {
        return with([](auto&, const std::vector<lane_id>& found) { return result<std::vector<lane_id>>{found}; },
                    deadline);
    }

    /// What async_enqueue works with. It connects with its first call.
    auto& async() requires async_driver<Driver> {
        const std::lock_guard lock{mutex_};
        if (!async_.client) async_.client.emplace(driver_.make_async_client(name_, names_));
        return *async_.client;
    }

    /// Where calls wait for the ends of jobs. It connects with the first wait.
    completion_watcher<Driver>& watcher() noexcept { return watcher_; }

private:
    template <class Use>
    answer_of<Use> with_loan(Use& use, steady_time deadline) {
        auto loan = driver_.borrow();
        if (!loan) return loan.error();
        if constexpr (requires { loan->limit(); }) loan->limit().set(deadline);
        if (auto found = find_lanes_once(loan->get()); !found) return discard_if_ended(*loan, std::move(found.error()));
        auto answer = use(loan->get(), lanes_);
        if (!answer) (void)discard_if_ended(*loan, answer.error());
        return answer;
    }
    static error_info busy() {
        return {errc::timeout, "another call of the queue object was waiting for the server",
                "is the server silent? a driver::pool gives each call a session of its own"};
    }
    template <class Loan>
    static error_info discard_if_ended(Loan& loan, error_info e) {
        if (ends_session(e)) loan.discard();
        return e;
    }
    // The lanes never change once they are found, so only finding them needs the lock.
    result<void> find_lanes_once(typename Driver::session& session) {
        const std::lock_guard lock{mutex_};
        return find_lanes(session);
    }

    result<void> prepare() {
        if (session_ && !is_usable(*session_)) session_.reset();
        if (!session_) {
            auto opened = connect_within(driver_, session_role::client, limit_);
            if (!opened) return opened.error();
            session_.emplace(std::move(*opened));
        }
        return find_lanes(*session_);
    }

    result<void> find_lanes(typename Driver::session& session) {
        if (!lanes_.empty()) return {};
        const auto names = lane_names();
        if (!names) return names.error();
        auto found = session.lanes(name_, *names);
        if (!found) return found.error();
        lanes_ = std::move(*found);
        return {};
    }

    Driver driver_;
    std::string name_;
    std::span<const lane_name> names_;
    cancel_report told_{};
    fair_mutex mutex_;
    call_limit limit_{};
    std::optional<typename Driver::session> session_;
    std::vector<lane_id> lanes_;
    completion_watcher<Driver> watcher_{driver_};
    [[no_unique_address]] async_side<Driver> async_;
};

/// What a handle has of its queue: it does not keep the queue's connection open.
template <class Driver>
using weak_connection = std::weak_ptr<client_connection<Driver>>;

/// Calls `use(connection)`, or returns errc::closed. The connection lives until the call returns.
template <class Driver, class Use>
auto with_connection(const weak_connection<Driver>& link, Use use)
    -> decltype(use(std::declval<client_connection<Driver>&>())) {
    if (const auto connection = link.lock()) return use(*connection);
    return error_info{errc::closed, "the queue object of this handle is gone",
                      "keep the queue, or find the job by its id with another one"};
}

}  // namespace pgq::detail
