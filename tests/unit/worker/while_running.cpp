#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"
#include "support/leases.hpp"
#include "support/photos.hpp"

#include <pgq/backoff/none.hpp>
#include <pgq/context/batch_context.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/serializer/versioned.hpp>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <vector>

namespace unit_worker_while_running {

using namespace std::chrono_literals;
using test::letter, test::note;

namespace {

template <class... Policies>
using note_queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, pgq::backoff::none, Policies...>;

std::vector<std::string> texts_of(const test::run_log& seen) {
    std::vector<std::string> texts;
    for (const auto& s : seen.all()) texts.push_back(s.text);
    return texts;
}

}  // namespace

TEST_CASE("the attempt after a checkpoint starts from it, however the attempt before ended", "[worker][context]") {
    note_queue<pgq::executor::in_place> jobs;
    test::run_log seen;
    (void)jobs.enqueue(note{.n = 1, .text = "0"}).value();
    const auto handler = [&](const note& n, pgq::context& c) -> pgq::outcome {
        seen.add(n.n, c, n.text);
        const int page = std::stoi(n.text);
        if (page == 3) return pgq::done{};
        note next = n;
        next.text = std::to_string(page + 1);
        c.update(next).value();
        CHECK(n.text == std::to_string(page));
        if (page == 0) throw std::runtime_error{"interrupted"};
        if (page == 1) return pgq::snooze{100ms};
        return pgq::retry_after{};
    };
    test::run_until_empty(jobs, {.until = pgq::run_until::drained}, handler);
    CHECK(texts_of(seen) == std::vector<std::string>{"0", "1", "2", "3"});
}

TEST_CASE("the next try in the same attempt starts from the checkpoint, too", "[worker][context]") {
    using retried = pgq::job<note, pgq::executor::retrying<pgq::backoff::none>>;
    pgq::queue<retried, pgq::driver::memory, pgq::serializer::json> jobs;
    test::run_log seen;
    (void)jobs.enqueue(note{.n = 1, .text = "a"}).value();
    const auto handler = [&](const note& n, pgq::context& c) {
        seen.add(n.n, c, n.text + std::to_string(c.try_number()));
        if (c.try_number() == 1) c.update(note{.n = 1, .text = "b"}).value();
        if (c.try_number() < 3) throw std::runtime_error{"again"};
    };
    test::run_until_empty(jobs, {}, handler);
    CHECK(texts_of(seen) == std::vector<std::string>{"a1", "b2", "b3"});
}

TEST_CASE("a job that is held after a checkpoint keeps it", "[worker][context]") {
    note_queue<> jobs;
    (void)jobs.enqueue(note{.n = 1, .text = "old"}).value();
    const auto handler = [](const note&, pgq::context& c) -> pgq::outcome {
        c.update(note{.n = 2, .text = "new"}).value();
        return pgq::hold{"for a person"};
    };
    test::run_until_empty(jobs, {}, handler);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    note kept;
    pgq::serializer::json{}.read(held[0].body, kept).value();
    CHECK(kept.n == 2);
    CHECK(kept.text == "new");
}

TEST_CASE("each job of a batch has its own checkpoint and progress", "[worker][context][batch]") {
    note_queue<pgq::executor::in_place> jobs;
    const auto ids = jobs.enqueue(std::vector{note{.n = 1}, note{.n = 2}, note{.n = 3}}).value();
    std::vector<std::string> texts;
    int calls = 0;
    const auto handler = [&](std::span<const note> all, pgq::batch_context& c) {
        pgq::outcomes each;
        for (std::size_t i = 0; i < all.size(); ++i) {
            texts.push_back(all[i].text);
            if (calls == 0) c[i].update(note{.n = all[i].n, .text = "again " + std::to_string(all[i].n)}).value();
            if (calls == 0) c[i].progress(0.5).value();
            each.push_back(calls == 0 ? pgq::outcome{pgq::retry_after{}} : pgq::outcome{pgq::done{}});
        }
        if (++calls == 1)
            for (const auto id : ids) CHECK(jobs.progress(id).value() == pgq::job_progress{.fraction = 0.5});
        return each;
    };
    test::run_until_empty(jobs, {}, handler);
    CHECK(calls == 2);
    CHECK(texts == std::vector<std::string>{"", "", "", "again 1", "again 2", "again 3"});
}

TEST_CASE("an invalid checkpoint is an error, and the old payload stays", "[worker][context]") {
    note_queue<pgq::executor::in_place> jobs;
    (void)jobs.enqueue(note{.n = 1, .text = "old"}).value();
    test::run_log seen;
    const auto handler = [&](const note& n, pgq::context& c) -> pgq::outcome {
        seen.add(n.n, c, n.text);
        if (c.attempt() == 2) return pgq::done{};
        CHECK(c.update(letter{.n = 7}).error() == pgq::errc::invalid_option);
        CHECK(c.update(note{.n = 1, .text = "\xff"}).error() == pgq::errc::invalid_text);
        CHECK(c.progress(std::nan("")).error() == pgq::errc::invalid_option);
        return pgq::retry_after{};
    };
    test::run_until_empty(jobs, {}, handler);
    CHECK(texts_of(seen) == std::vector<std::string>{"old", "old"});
}

TEST_CASE("a checkpoint does not replace a payload of an older version of the type", "[worker][context][versioned]") {
    using versioned = pgq::serializer::versioned<pgq::serializer::json>;
    const pgq::driver::memory driver;
    pgq::queue<test::photos::v1, pgq::driver::memory, versioned> former{driver};
    pgq::queue<test::photos::v5, pgq::driver::memory, versioned, pgq::backoff::none> jobs{driver};
    const auto old = former.enqueue(test::photos::v1{}).value().id();
    const auto present = jobs.enqueue(test::photos::v5{}).value().id();
    std::atomic<int> refused{0}, changed{0};
    const auto handler = [&](const test::photos::v5& p, pgq::context& c) -> pgq::outcome {
        if (c.attempt() == 2) return changed += c.id() == present && p.n == 77, pgq::done{};
        auto other = p;
        other.n = 77;
        const auto said = c.update(other);
        refused += c.id() == old && !said && said.error() == pgq::errc::invalid_option;
        return pgq::retry_after{};
    };
    test::run_until_empty(jobs, {}, handler);
    CHECK(refused == 1);
    CHECK(changed == 1);
}

TEST_CASE("a context without a worker returns an error for each change", "[context]") {
    const pgq::job_record record{.id = {1}};
    const pgq::resources shared;
    const pgq::context c{record, std::stop_token{}, shared};
    CHECK(c.update(note{}).error() == pgq::errc::invalid_option);
    CHECK(c.progress(0.5).error() == pgq::errc::invalid_option);
}

TEST_CASE("a handler in executor::process cannot write a checkpoint", "[worker][context][process]") {
    note_queue<pgq::executor::process> jobs;
    (void)jobs.enqueue(note{.n = 1}).value();
    const auto handler = [](const note&, pgq::context& c) -> pgq::outcome {
        return pgq::hold{c.update(note{.n = 2}).error().text()};
    };
    test::run_until_empty(jobs, {}, handler);
    const auto held = jobs.held<note>().value();
    REQUIRE(held.size() == 1);
    CHECK(held[0].reason.find("executor::process") != std::string::npos);
}

TEST_CASE("a handler whose lease was lost cannot change the job", "[worker][context]") {
    const pgq::driver::memory driver;
    note_queue<> jobs{driver};
    const auto id = jobs.enqueue(note{.n = 1, .text = "old"}).value().id();
    auto other = driver.connect(pgq::session_role::client).value();
    std::atomic<bool> refused{false};
    test::run_log seen;
    const auto handler = [&](const note& n, pgq::context& c) {
        if (seen.add(n.n, c, n.text); seen.size() > 1) return;
        other.give_back(test::leases_of_all(other)).value();
        const auto said = c.update(note{.n = 1, .text = "new"});
        refused = !said && said.error() == pgq::errc::lease_lost && c.progress(1).error() == pgq::errc::lease_lost;
    };
    test::running_worker w{jobs, {}, handler};
    CHECK(jobs.wait_for(id, test::test_timeout));
    CHECK(test::eventually([&] { return seen.size() == 2; }));
    CHECK(test::eventually([&] { return refused.load(); }));  // the first handler may end later
    CHECK(texts_of(seen) == std::vector<std::string>{"old", "old"});
}

TEST_CASE("the job's handle and the queue return the progress, until the job ends", "[worker][context]") {
    note_queue<> jobs;
    test::gate go;
    const auto handler = [&](const note&, pgq::context& c) {
        c.progress(0.25, "page 1").value();
        (void)go.pass(c);
    };
    const auto h = jobs.enqueue(note{}).value();
    CHECK(h.progress().value() == std::nullopt);
    test::running_worker w{jobs, {}, handler};
    REQUIRE(test::eventually([&] { return go.waiting() == 1; }));
    const pgq::job_progress quarter{.fraction = 0.25, .text = "page 1"};
    CHECK(h.progress().value() == quarter);
    CHECK(jobs.progress(h).value() == quarter);
    go.open();
    CHECK(h.wait(test::test_timeout));
    CHECK(h.progress().value() == std::nullopt);
}

TEST_CASE("of many progress reports one per 200 ms is stored, and always the last one", "[worker][context]") {
    note_queue<pgq::executor::in_place> jobs;
    const auto h = jobs.enqueue(note{}).value();
    int changes = 0, ends = 0;
    const auto handler = [&](const note&, pgq::context& c) {
        std::optional<pgq::job_progress> last;
        const auto until = std::chrono::steady_clock::now() + 900ms;
        for (int i = 0; std::chrono::steady_clock::now() < until; ++i) {
            c.progress(0.5, std::to_string(i)).value();
            if (const auto now = h.progress().value(); now != last) last = now, ++changes;
        }
        c.progress(1, "ready").value();
        ends += h.progress().value() == pgq::job_progress{.fraction = 1, .text = "ready"};
    };
    test::run_until_empty(jobs, {}, handler);
    CHECK(changes >= 1);
    CHECK(changes <= 5);
    CHECK(ends == 1);
}

TEST_CASE("progress is stored as text that people and programs can read", "[job][revision]") {
    using pgq::detail::packed, pgq::detail::unpacked;
    CHECK(packed(0.25, "page 3 of 12") == "0.25 page 3 of 12");
    CHECK(packed(1, "") == "1");
    CHECK(packed(7, "x") == "1 x");
    CHECK(packed(-1, "") == "0");
    CHECK(packed(std::numeric_limits<double>::infinity(), "") == "1");
    CHECK(packed(0.5, std::string_view{"a\0b\xff", 4}).find('\0') == std::string::npos);
    CHECK(packed(0.5, std::string(5000, 'x')).size() <= 1024 + 4);
    for (const double f : {0.0, 1.0, 1.0 / 3, 1e-300})
        for (const std::string text : {"", "x", " two  words ", "0.5 9"})
            CHECK(unpacked(packed(f, text)) == pgq::job_progress{.fraction = f, .text = text});
    CHECK(unpacked("") == std::nullopt);
    CHECK(unpacked("half") == std::nullopt);
    CHECK(unpacked("0.5x") == std::nullopt);
}

}  // namespace unit_worker_while_running
