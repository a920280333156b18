#pragma once

// The smallest job types and policies that compile. Each fixture uses them and makes one mistake.

#include <pgq/concept/driver.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/event/events.hpp>
#include <pgq/handler/handler_set.hpp>
#include <pgq/job/members.hpp>
#include <pgq/queue.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fakes {

/// Stores no job.
struct session {
    pgq::result<void> enqueue(const pgq::enqueue_request&, std::vector<pgq::job_id>&) { return {}; }
    pgq::result<void> exchange(const pgq::exchange_request&, pgq::exchange_reply&) { return {}; }
    pgq::result<pgq::wake_reason> wait(pgq::duration) { return pgq::wake_reason::timeout; }
    void interrupt() noexcept {}
    pgq::result<pgq::worker_id> register_worker(const pgq::worker_info&) { return pgq::worker_id{}; }
    pgq::result<pgq::beat_reply> beat(pgq::worker_id) { return pgq::beat_reply{}; }
    pgq::result<pgq::rescue_reply> rescue() { return pgq::rescue_reply{}; }
    pgq::result<void> retire(pgq::worker_id) { return {}; }
    pgq::result<std::vector<pgq::lease_ref>> leases_of(pgq::worker_id) { return std::vector<pgq::lease_ref>{}; }
    pgq::result<void> give_back(std::span<const pgq::lease_ref>) { return {}; }
    pgq::result<pgq::cancel_reply> cancel(std::span<const pgq::job_id>) { return pgq::cancel_reply{}; }
    pgq::result<void> enqueue_tracked(const pgq::tracked_request&, std::vector<pgq::enqueued_job>&) { return {}; }
    pgq::result<void> watch(std::span<const pgq::job_id>, pgq::duration, std::vector<pgq::ended_job>&) { return {}; }
    pgq::result<std::vector<pgq::lease_news>> leases_now(pgq::worker_id) { return std::vector<pgq::lease_news>{}; }
    bool stop_asked() noexcept { return false; }
    pgq::result<pgq::sweep_reply> sweep() { return pgq::sweep_reply{}; }
    pgq::result<void> revise(const pgq::revision&) { return {}; }
    pgq::result<std::optional<std::string>> progress_of(pgq::job_id) { return std::optional<std::string>{}; }
    pgq::result<std::int64_t> requeue(std::span<const pgq::job_id>) { return std::int64_t{0}; }
    pgq::result<std::vector<pgq::held_job>> held(pgq::lane_id, std::size_t) { return std::vector<pgq::held_job>{}; }
    pgq::result<pgq::lane_counts> counts(pgq::lane_id) { return pgq::lane_counts{}; }
    pgq::result<std::vector<pgq::lane_limit>> limits(std::string_view, std::span<const pgq::lane_limit>) {
        return std::vector<pgq::lane_limit>{};
    }
    pgq::result<bool> change_limit(std::string_view, const pgq::lane_limit&) { return false; }
    pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view, std::span<const pgq::lane_name> names) {
        return std::vector<pgq::lane_id>(names.size());
    }
};

struct driver {
    using policy_category = pgq::driver_tag;
    using session = fakes::session;
    pgq::result<session> connect(pgq::session_role) const { return session{}; }
    pgq::result<void> install() const { return {}; }
};

struct other_driver : driver {};

/// Works member by member; supports int and std::string.
struct serializer {
    using policy_category = pgq::serializer_tag;
    static constexpr bool by_members = true;
    template <class T>
    static constexpr bool supports_member = std::is_same_v<T, int> || std::is_same_v<T, std::string>;
    template <class Job>
    pgq::result<void> write(const Job&, std::string&) const {
        return {};
    }
    template <class Job>
    pgq::result<void> read(std::string_view, Job&) const {
        return {};
    }
};

/// Works with the job as a whole; supports no job type.
struct picky_serializer {
    using policy_category = pgq::serializer_tag;
    static constexpr bool by_members = false;
    template <class Job>
    static constexpr bool supports_job = false;
};

struct backoff {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const noexcept { return {}; }
};

struct executor {
    using policy_category = pgq::executor_tag;
    std::size_t width() const noexcept { return 1; }
    void execute(const pgq::task& t) { t.run(); }
    void start() {}
    void stop() noexcept {}
};

struct coroutine_executor : executor {
    static constexpr bool runs_coroutines = true;
};

struct observer {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::job_finished&) {}
};

struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
};

struct picture {
    static constexpr std::string_view entrypoint = "picture";
    using result = int;
    int edge = 0;
};

/// A job type of no queue here.
struct stranger {
    static constexpr std::string_view entrypoint = "stranger";
    int x = 0;
};

/// Has the same interface as asio::awaitable.
template <class T>
struct awaitable {
    using value_type = T;
    using executor_type = int;
    bool await_ready() const noexcept { return true; }
};

/// The handlers of a queue, as a worker composes them.
template <class Queue, class... Handlers>
void handle(Handlers... handlers) {
    (void)sizeof(pgq::handler_set<typename Queue::composition_type, Handlers...>);
    ((void)handlers, ...);
}

}  // namespace fakes

BOOST_HANA_ADAPT_STRUCT(fakes::mail, to);
BOOST_HANA_ADAPT_STRUCT(fakes::picture, edge);
BOOST_HANA_ADAPT_STRUCT(fakes::stranger, x);

namespace fakes {

using mail_queue = pgq::queue<pgq::job<mail>, driver, serializer>;

}  // namespace fakes
