#pragma once

// The smallest job types and policies that compile. Each fixture uses them and makes one mistake.

#include <pgq/concept/driver.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/event/events.hpp>
#include <pgq/handler/handler_set.hpp>
#include <pgq/job/members.hpp>
#include <pgq/queue.hpp>

#include "../support/fake_session.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace fakes {

using session = test::fake_session;
using driver = test::fake_driver<>;
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
