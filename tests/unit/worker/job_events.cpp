#include <pgq/backoff/none.hpp>
#include <pgq/client.hpp>
#include <pgq/client/report_enqueued.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>
#include <pgq/worker/names/served_lanes.hpp>
#include <pgq/worker/take_back.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace unit_worker_job_events {

using namespace std::chrono_literals;
using test::eventually, test::letter, test::note;
using strings = std::vector<std::string>;

namespace {

/// Keeps the events about enqueued, claimed, returned and cancelled jobs, as text.
class recorder {
public:
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::worker_started& e) { add("started " + std::to_string(e.slots)); }
    void on(const pgq::event::worker_stopped& e) { add("stopped " + std::to_string(e.slots)); }
    void on(const pgq::event::jobs_enqueued& e) {
        add("enqueued " + lane(e) + " " + std::to_string(e.count) + (e.committed ? "" : " uncommitted"));
    }
    void on(const pgq::event::jobs_claimed& e) {
        add("claimed " + lane(e), e.count);
        if (e.last) add("synced");
    }
    void on(const pgq::event::jobs_returned& e) {
        add("returned " + lane(e) + " " + std::string{name_of(e.why)}, e.count);
    }
    void on(const pgq::event::job_started& e) { add("begun " + lane(e)); }
    void on(const pgq::event::job_finished& e) {
        add(std::string{e.started ? "ended " : "not begun "} + lane(e) + " " + std::string{name_of(e.what)});
    }
    void on(const pgq::event::job_cancelled& e) {
        add("cancelled " + lane(e) + " " + std::to_string(e.id.value) + (e.running ? " running" : ""));
    }
    void on(const pgq::event::cancel_requested& e) {
        add("cancel " + std::string{e.queue} + " removed " + std::to_string(e.removed) + " stopping " +
            std::to_string(e.stopping));
    }

    strings all() const {
        const std::lock_guard lock{seen_->mutex};
        strings texts;
        for (const auto& e : seen_->all) texts.push_back(e.text);
        return texts;
    }
    /// Those that begin so.
    strings all(std::string_view begin) const {
        strings texts = all();
        std::erase_if(texts, [&](const std::string& t) { return !t.starts_with(begin); });
        return texts;
    }
    /// The sum of the jobs of such events.
    std::size_t jobs(std::string_view text) const {
        const std::lock_guard lock{seen_->mutex};
        std::size_t sum = 0;
        for (const auto& e : seen_->all) sum += e.text == text ? e.jobs : 0;
        return sum;
    }

private:
    struct entry {
        std::string text{};
        std::size_t jobs = 0;
    };
    struct events {
        std::mutex mutex{};
        std::vector<entry> all{};
    };
    template <class Event>
    static std::string lane(const Event& e) {
        return std::string{e.queue} + "/" + std::string{e.entrypoint};
    }
    void add(std::string text, std::size_t jobs = 0) {
        const std::lock_guard lock{seen_->mutex};
        seen_->all.push_back({std::move(text), jobs});
    }
    std::shared_ptr<events> seen_ = std::make_shared<events>();
};

template <class... Policies>
using queue_with =
    pgq::queue<note, letter, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, Policies...>;
using in_place_queue = queue_with<pgq::executor::in_place, recorder>;
using pool_queue = queue_with<pgq::executor::thread_pool, recorder>;

constexpr auto ignore_notes = [](const note&) {};
constexpr auto ignore_letters = [](const letter&) {};

// A queue whose observer does not want to know of enqueues has no place to count them.
static_assert(!pgq::detail::reports_enqueues<queue_with<pgq::executor::in_place>::composition_type>);
static_assert(std::is_empty_v<pgq::detail::uncommitted_jobs<false>>);

}  // namespace

TEST_CASE("each call that enqueues sends one event with the number of new jobs", "[queue][observer]") {
    in_place_queue jobs{{}, {.name = "mail"}};
    jobs.enqueue(note{}).value();
    jobs.enqueue(test::notes(3)).value();
    jobs.enqueue(std::vector<note>{}).value();
    jobs.enqueue(letter{}, {.run_at = pgq::in(1h)}).value();
    CHECK(jobs.observer().all() == strings{"enqueued mail/note 1", "enqueued mail/note 3", "enqueued mail/letter 1"});
}

TEST_CASE("a job whose unique key another job has is not counted as enqueued", "[queue][observer]") {
    in_place_queue jobs;
    jobs.enqueue(test::notes(4),
                 [](const note& n) { return pgq::enqueue_options{.unique_key = n.n % 2 == 0 ? "even" : "odd"}; })
        .value();
    jobs.enqueue(note{}, {.unique_key = "odd"}).value();
    CHECK(jobs.observer().all() == strings{"enqueued default/note 2"});
}

TEST_CASE("an enqueue that fails sends no event", "[queue][observer]") {
    in_place_queue jobs;
    CHECK(jobs.drain<note>("test").value());
    CHECK(jobs.enqueue(note{}).error() == pgq::errc::draining);
    CHECK(jobs.observer().all().empty());
}

TEST_CASE("a flow sends one event for each entrypoint", "[queue][observer]") {
    in_place_queue jobs;
    auto flow = jobs.flow();
    (void)flow.add(note{});
    (void)flow.add(letter{});
    (void)flow.add(note{}, {.unique_key = "once"});
    (void)flow.add(note{}, {.unique_key = "once"});
    flow.enqueue().value();
    CHECK(jobs.observer().all() == strings{"enqueued default/note 2", "enqueued default/letter 1"});
}

TEST_CASE("a transaction sends the events of its enqueues when it has committed", "[queue][observer]") {
    in_place_queue jobs;
    jobs.transaction([&](auto& tx) {
            (void)tx.enqueue(note{}).value();
            (void)tx.savepoint([&]() -> pgq::result<void> {
                (void)tx.enqueue(test::notes(5)).value();
                return pgq::errc::invalid_option;
            });
            (void)tx.enqueue({letter{}, letter{}}).value();
            CHECK(jobs.observer().all().empty());
        })
        .value();
    CHECK(jobs.observer().all() == strings{"enqueued default/note 1", "enqueued default/letter 2"});

    CHECK_FALSE(jobs.transaction([](auto& tx) -> pgq::result<void> {
        (void)tx.enqueue(note{}).value();
        return pgq::errc::invalid_option;
    }));
    CHECK(jobs.observer().all().size() == 2);
}

TEST_CASE("a handler's transaction sends the events of its enqueues if it commits", "[worker][observer]") {
    in_place_queue jobs;
    jobs.enqueue(test::notes(2)).value();
    test::run_until_empty(
        jobs, {.max_attempts = 1},
        [](const note& n, pgq::transaction<in_place_queue>& tx) {
            (void)tx.enqueue(letter{.n = n.n}).value();
            if (n.n == 1) throw std::runtime_error{"no"};
        },
        ignore_letters);
    CHECK(jobs.observer().all("enqueued default/letter") == strings{"enqueued default/letter 1"});
}

TEST_CASE("a claim sends one event for each entrypoint, and every event of a job names the queue",
          "[worker][observer]") {
    in_place_queue jobs{{}, {.name = "mail"}};
    jobs.enqueue(test::notes(3)).value();
    jobs.enqueue({letter{}, letter{}}).value();
    test::run_until_empty(jobs, {}, ignore_notes, ignore_letters);
    const recorder& seen = jobs.observer();
    CHECK(seen.jobs("claimed mail/note") == 3);
    CHECK(seen.jobs("claimed mail/letter") == 2);
    CHECK(seen.all("begun mail/note").size() == 3);
    CHECK(seen.all("ended mail/letter done").size() == 2);
    CHECK(seen.all("start") == strings{"started 1"});
    CHECK(seen.all("stopped") == strings{"stopped 1"});
}

TEST_CASE("the last event of a claim from several lanes says so", "[worker][observer]") {
    pgq::detail::served_lanes served;
    served.assign(std::vector<pgq::detail::served_lane>{{.lane = {1}, .entrypoint = "note", .queue = "q"},
                                                        {.lane = {2}, .entrypoint = "letter", .queue = "q"}});
    std::vector<pgq::claimed_lease> leases(3);
    leases[0].lane = leases[1].lane = {1};
    leases[2].lane = {2};
    for (auto& l : leases) l.jobs.resize(2);
    recorder seen;
    pgq::detail::report_claimed(seen, {7}, served, leases);
    CHECK(seen.all() == strings{"claimed q/note", "claimed q/letter", "synced"});
    CHECK(seen.jobs("claimed q/note") == 4);
}

TEST_CASE("a job whose payload cannot be read ends without having started", "[worker][observer]") {
    const pgq::driver::memory store;
    using raw_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place, recorder>;
    raw_queue jobs{store};
    const auto lane = jobs.lanes().value().at(0);
    auto session = store.connect(pgq::session_role::client).value();
    pgq::bodies body;
    body.bytes() += "no json", body.close();
    const pgq::enqueue_options plain;
    std::vector<pgq::job_id> ids;
    session.enqueue({.lane = lane, .bodies = &body, .options = {&plain, 1}}, ids).value();
    test::run_until_empty(jobs, {}, ignore_notes);
    CHECK(jobs.observer().all("begun").empty());
    CHECK(jobs.observer().all("not begun") == strings{"not begun default/note hold"});
}

TEST_CASE("a worker that stops reports the jobs that it gives back", "[worker][observer]") {
    pool_queue jobs{{}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(9)).value();
    test::gate gate;
    test::running_worker w{jobs, {}, [&](const note&, const pgq::context& c) { (void)gate.pass(c); }, ignore_letters};
    REQUIRE(eventually([&] { return gate.waiting() == 1; }));
    w.request_stop();
    CHECK(eventually([&] { return jobs.counts<note>().value().leased == 1; }));
    gate.open();
    w.stop().value();
    const recorder& seen = jobs.observer();
    CHECK(seen.jobs("claimed default/note") > 1);
    CHECK(seen.jobs("returned default/note stopping") + 1 == seen.jobs("claimed default/note"));
}

TEST_CASE("a worker that stops reports the jobs of handlers that do not end", "[worker][observer]") {
    pool_queue jobs{{}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(note{}).value();
    test::gate gate;
    std::atomic<bool> go{false};
    test::running_worker w{jobs,
                           {.grace = 10ms, .max_prefetch = 0},
                           [&](const note&, const pgq::context& c) {
                               (void)gate.pass(c);
                               (void)eventually([&] { return go.load(); });
                           },
                           ignore_letters};
    REQUIRE(eventually([&] { return gate.waiting() == 1; }));
    w.request_stop();
    CHECK(eventually([&] { return jobs.observer().jobs("returned default/note stopping") == 1; }));
    go = true;
    (void)w.stop();
}

TEST_CASE("a worker reports the jobs of a paused lane that it gives back", "[worker][observer]") {
    pool_queue jobs{{}, {}, pgq::executor::thread_pool{1}};
    jobs.enqueue(test::notes(5)).value();
    test::gate gate;
    test::running_worker w{
        jobs, {.poll_interval = 1h}, [&](const note&, const pgq::context& c) { (void)gate.pass(c); }, ignore_letters};
    REQUIRE(eventually([&] { return gate.waiting() == 1 && jobs.counts<note>().value().leased > 1; }));
    CHECK(jobs.pause<note>("test").value());
    CHECK(eventually([&] { return jobs.counts<note>().value().leased == 1; }));
    const recorder& seen = jobs.observer();
    CHECK(seen.jobs("returned default/note paused") + 1 == seen.jobs("claimed default/note"));
    gate.open();
}

TEST_CASE("a worker reports each job that somebody cancelled, once", "[worker][observer]") {
    pool_queue jobs{{}, {}, pgq::executor::thread_pool{1}};
    const auto handles = jobs.enqueue(test::notes(2)).value();
    test::gate gate;
    test::running_worker w{
        jobs, {.poll_interval = 10ms}, [&](const note&, const pgq::context& c) { (void)gate.pass(c); }, ignore_letters};
    REQUIRE(eventually([&] { return gate.waiting() == 1 && jobs.counts<note>().value().leased == 2; }));
    const std::vector<pgq::job_id> both{handles[0], handles[1]};
    CHECK(jobs.cancel(both).value() == pgq::cancel_reply{.stopping = 2});
    CHECK(eventually([&] { return jobs.observer().all("cancelled").size() == 2; }));
    CHECK(jobs.cancel(both[0]));  // changes nothing
    gate.open();
    CHECK(eventually([&] { return jobs.counts<note>().value() == pgq::lane_counts{}; }));
    w.stop().value();
    const std::string of = "cancelled default/note ";
    CHECK(jobs.observer().all("cancelled") ==
          strings{of + std::to_string(both[0].value) + " running", of + std::to_string(both[1].value)});
    CHECK(jobs.observer().all("returned").empty());
}

TEST_CASE("a cancel sends an event, whether it was called on the queue or on a handle", "[queue][observer]") {
    in_place_queue jobs;
    const auto first = jobs.enqueue(note{}).value();
    const auto more = jobs.enqueue(test::notes(3)).value();
    CHECK(first.cancel());
    CHECK(more.cancel());
    CHECK(jobs.cancel(first));  // it is gone
    CHECK(jobs.observer().all("cancel") == strings{"cancel default removed 1 stopping 0",
                                                   "cancel default removed 3 stopping 0",
                                                   "cancel default removed 0 stopping 0"});
}

}  // namespace unit_worker_job_events
