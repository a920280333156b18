#include <pgq/backoff/none.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/handler/handler_set.hpp>
#include <pgq/handler/handler_table.hpp>
#include <pgq/queue.hpp>
#include <pgq/worker/job_runner.hpp>

#include "compile_fail/fakes.hpp"
#include "support/catch.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_handler_handler_table {

namespace {

using fakes::mail;
using fakes::picture;

/// A payload is the text of the job.
struct texts {
    using policy_category = pgq::serializer_tag;
    template <class Job>
    pgq::result<void> write(const Job&, std::string&) const {
        return {};
    }
    template <class Job>
    pgq::result<void> read(std::string_view body, Job& job) const {
        if (body == "unreadable") return pgq::errc::invalid_payload;
        if constexpr (std::is_same_v<Job, mail>) job.to = body;
        return {};
    }
};

/// Keeps tasks until the test runs them.
class deferred_executor {
public:
    using policy_category = pgq::executor_tag;
    std::size_t width() const noexcept { return 4; }
    void start() {}
    void stop() noexcept {}
    void execute(const pgq::task& t) { tasks_->push_back(t); }
    std::size_t waiting() const noexcept { return tasks_->size(); }
    void run_next() {
        const pgq::task t = tasks_->front();
        tasks_->pop_front();
        t.run();
    }

private:
    std::shared_ptr<std::deque<pgq::task>> tasks_ = std::make_shared<std::deque<pgq::task>>();
};

template <class... OfMail>
using queue_of =
    pgq::queue<pgq::job<mail, OfMail...>, pgq::driver::memory, texts, deferred_executor, pgq::backoff::none>;

/// A table and the runner that a worker would make, over one lease.
template <class Queue, class... Handlers>
struct table_of {
    using composition = typename Queue::composition_type;
    using handlers_type = pgq::handler_set<composition, Handlers...>;
    using table_type = pgq::detail::handler_table<composition, handlers_type>;

    explicit table_of(const std::vector<std::string>& payloads, Handlers... h)
        : bodies{payloads}, handlers{std::move(h)...}, table{handlers, queue, nullptr} {
        pgq::claimed_lease lease{.ref = {.id = 7}};
        for (std::uint32_t i = 0; i < bodies.size(); ++i)
            lease.jobs.push_back({.id = pgq::job_id{i + 1}, .index = i, .body = bodies[i]});
        slot.open(std::move(lease), 0, 0, {});
    }
    void dispatch_all() {
        for (std::uint32_t i = 0; i < bodies.size(); ++i) runner.dispatch(slot, i);
        runner.dispatched();
    }
    void run_all() {
        while (executor.waiting() != 0) executor.run_next();
    }
    std::size_t settled() {
        std::vector<pgq::detail::completion> notes;
        (void)runner.completions.take(notes);
        return notes.size();
    }

    Queue queue{};
    std::vector<std::string> bodies;
    handlers_type handlers;
    table_type table;
    deferred_executor executor{};
    std::remove_cvref_t<decltype(queue.observer())> observer{};
    pgq::detail::held_lease slot{};
    typename table_type::runner_type runner{table_type::functions.data(), &table, executor, observer,
                                            pgq::worker_options{},        [] {}};
};
template <class Queue, class... Handlers>
auto make_table(const std::vector<std::string>& payloads, Handlers... h) {
    return std::make_unique<table_of<Queue, Handlers...>>(payloads, std::move(h)...);
}

template <class Queue, class Handler>
constexpr auto functions_with =
    pgq::detail::handler_table<typename Queue::composition_type,
                               pgq::handler_set<typename Queue::composition_type, Handler>>::functions[0];

constexpr bool is_set(auto function) { return function != nullptr; }

using in_strands = queue_of<pgq::executor::strand_by<&mail::to>>;
using single = void (*)(const mail&);
using batch = void (*)(std::span<const mail>);
using in_transaction = void (*)(const mail&, pgq::transaction<queue_of<>>&);

static_assert(is_set(functions_with<queue_of<>, single>.run));
static_assert(!is_set(functions_with<queue_of<>, single>.dispatch));
static_assert(!functions_with<queue_of<>, single>.lease_per_job && !functions_with<queue_of<>, single>.in_batches);
static_assert(functions_with<queue_of<>, batch>.in_batches && !is_set(functions_with<queue_of<>, batch>.run));
static_assert(is_set(functions_with<in_strands, single>.dispatch) && !functions_with<in_strands, single>.lease_per_job);
static_assert(functions_with<queue_of<>, in_transaction>.lease_per_job &&
              !functions_with<queue_of<>, in_transaction>.once);
using at_most_once = queue_of<pgq::delivery::at_most_once>;
static_assert(functions_with<at_most_once, single>.lease_per_job && functions_with<at_most_once, single>.once);

}  // namespace

TEST_CASE("jobs go to the executor one by one, and each is settled once", "[handler][handler_table]") {
    std::vector<std::string> seen;
    const auto t = make_table<queue_of<>>({"a", "b"}, [&](const mail& m) { seen.push_back(m.to); });
    t->dispatch_all();
    CHECK(t->executor.waiting() == 2);
    CHECK(seen.empty());
    t->run_all();
    CHECK(seen == std::vector<std::string>{"a", "b"});
    CHECK(t->settled() == 2);
}

TEST_CASE("jobs of one strand are one task, those of others have their own", "[handler][handler_table]") {
    std::vector<std::string> seen;
    const auto t = make_table<in_strands>({"a", "b", "a", "a"}, [&](const mail& m) { seen.push_back(m.to); });
    t->dispatch_all();
    CHECK(t->executor.waiting() == 2);
    CHECK(t->runner.in_line.load() == 2);
    t->executor.run_next();
    CHECK(seen == std::vector<std::string>{"a", "a", "a"});
    t->run_all();
    CHECK(seen.back() == "b");
    CHECK(t->settled() == 4);
    CHECK(t->runner.in_line.load() == 0);
}

TEST_CASE("a job of a strand that throws or cannot be read does not stop the ones behind it",
          "[handler][handler_table]") {
    int calls = 0;
    const auto t = make_table<in_strands>({"a", "a", "unreadable"}, [&](const mail&) {
        if (++calls == 1) throw std::runtime_error{"no"};
    });
    t->dispatch_all();
    t->run_all();
    CHECK(calls == 2);
    CHECK(t->settled() == 3);
}

TEST_CASE("jobs that were claimed together are one task of a batch handler", "[handler][handler_table]") {
    std::vector<std::size_t> sizes;
    const auto t =
        make_table<queue_of<>>({"a", "b", "c"}, [&](std::span<const mail> jobs) { sizes.push_back(jobs.size()); });
    t->dispatch_all();
    CHECK(t->executor.waiting() == 1);
    t->run_all();
    CHECK(sizes == std::vector<std::size_t>{3});
    CHECK(t->settled() == 3);
}

TEST_CASE("a job that the worker took back is not run", "[handler][handler_table]") {
    int calls = 0;
    const auto t = make_table<queue_of<>>({"a", "b"}, [&](const mail&) { ++calls; });
    t->dispatch_all();
    REQUIRE(t->slot.take(0));
    t->run_all();
    CHECK(calls == 1);
    CHECK(t->settled() == 1);
}

TEST_CASE("a table takes room only for what its jobs need", "[handler][handler_table]") {
    using plain = table_of<queue_of<>, single>::table_type;
    CHECK(sizeof(plain) <= 4 * sizeof(void*));
    CHECK(sizeof(table_of<in_strands, single>::table_type) > sizeof(plain));
    CHECK(sizeof(table_of<at_most_once, single>::table_type) > sizeof(plain));
}

}  // namespace unit_handler_handler_table
