#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/fork_server.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"
#include "support/eventually.hpp"
#include "support/jobs.hpp"

#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace unit_executor_process {

using namespace std::chrono_literals;
using pgq::lane_counts;
using pgq::detail::child_end, pgq::detail::fork_server;
using pgq::executor::process, pgq::executor::retrying, pgq::executor::thread_pool, pgq::executor::timeout;
using test::eventually;
using test::note;

namespace {

// Memory that the children share with the test.
struct board {
    std::atomic<int> runs{0}, inside{0}, most{0}, last_pid{0}, open{0}, deaf{0};
};
class shared_board {
public:
    shared_board() {
        void* const memory = ::mmap(nullptr, sizeof(board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc{};
        board_ = new (memory) board;
    }
    shared_board(const shared_board&) = delete;
    shared_board& operator=(const shared_board&) = delete;
    ~shared_board() { ::munmap(board_, sizeof(board)); }
    board* operator->() const noexcept { return board_; }

private:
    board* board_;
};

// Returns false also for a zombie, whose parent is not this process.
bool runs(pid_t pid) {
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number, name, state;
    file >> number >> name >> state;
    return file && state != "Z";
}
bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

void crash(int how) {
    (void)::raise(how);
    std::_Exit(3);  // not reached
}

template <class... OfEntrypoint>
using queue_with = pgq::queue<pgq::job<note, OfEntrypoint...>, pgq::driver::memory, pgq::serializer::json,
                              pgq::backoff::none, test::event_counts>;

template <class Queue>
std::string reason_of_the_one_held(Queue& jobs) {
    const auto held = jobs.template held<note>().value();
    return held.size() == 1 ? held[0].reason : std::to_string(held.size()) + " held";
}

}  // namespace

TEST_CASE("a handler runs in a child process, with a full context", "[executor][process]") {
    queue_with<process> jobs;
    const pgq::header trace{"trace", "abc"};
    jobs.enqueue(note{.n = 7, .text = std::string(300'000, 'x')}, {.priority = 3, .headers = {&trace, 1}}).value();
    const shared_board seen;
    int here = 0;
    int thing = 42;
    pgq::resources shared;
    shared.add(thing);
    test::run_until_empty(jobs, {.shared = &shared}, [&](const note& job, pgq::context& c) -> pgq::outcome {
        here = 1;  // changes only the copy of the child
        ++seen->runs;
        seen->last_pid = ::getpid();
        if (job.n != 7 || job.text != std::string(300'000, 'x')) return pgq::hold{"another job"};
        if (c.priority() != 3 || c.attempt() != 1 || c.try_number() != 1) return pgq::hold{"another attempt"};
        if (c.header_value("trace") != "abc") return pgq::hold{"other headers"};
        if (c.resource<int>() != 42) return pgq::hold{"another resource"};
        return pgq::done{};
    });
    CHECK(seen->runs == 1);
    CHECK(here == 0);
    CHECK(seen->last_pid != ::getpid());
    CHECK_FALSE(exists(seen->last_pid));
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("the result or exception of a handler in a process counts as usual", "[executor][process]") {
    queue_with<process> jobs;
    jobs.enqueue(test::notes(5)).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, [](const note& job) -> pgq::outcome {
        switch (job.n) {
        case 0: return pgq::hold{"for a person"};
        case 1: return pgq::snooze{1h};
        case 2: return pgq::discard{"not wanted"};
        case 3: throw std::runtime_error{"no such host"};
        default: return pgq::retry_after{1h, std::string(1'000'000, 'r')};
        }
    });
    CHECK(jobs.counts<note>().value() == lane_counts{.deferred = 1, .held = 3});
    std::vector<std::string> reasons;
    const auto held = jobs.held<note>().value();
    for (const auto& h : held) reasons.push_back(h.reason.substr(0, 60));
    REQUIRE(reasons.size() == 3);
    CHECK(reasons[0] == "for a person");
    CHECK(reasons[1] == "attempt 1 of 1 failed: no such host");
    CHECK(reasons[2] == "attempt 1 of 1 failed: " + std::string(37, 'r'));
}

TEST_CASE("a crash of the child is a failed attempt whose reason says how the child ended", "[executor][process]") {
    queue_with<process> jobs;
    jobs.enqueue(note{}).value();
    SECTION("by a signal") {
        test::run_until_empty(jobs, {.max_attempts = 2}, [](const note&) { crash(SIGSEGV); });
        CHECK(reason_of_the_one_held(jobs) ==
              "attempt 2 of 2 failed: the handler's process was ended by signal 11 (Segmentation fault)");
    }
    SECTION("by an exit") {
        test::run_until_empty(jobs, {.max_attempts = 1}, [](const note&) { std::_Exit(3); });
        CHECK(reason_of_the_one_held(jobs) ==
              "attempt 1 of 1 failed: the handler's process ended with exit status 3 and without an answer");
    }
    SECTION("and the next job gets a new process") {
        jobs.enqueue(test::notes(30)).value();
        const shared_board seen;
        test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note& job) {
            if (job.n % 3 == 0) crash(SIGABRT);
            ++seen->runs;
        });
        CHECK(seen->runs == 20);
        CHECK(jobs.counts<note>().value() == lane_counts{.held = 11});
    }
}

TEST_CASE("a queue with executor::process runs as many children at once as its width", "[executor][process]") {
    using queue = pgq::queue<note, pgq::driver::memory, pgq::serializer::json, process>;
    queue jobs{{}, {}, process{{.grace = 1s}, thread_pool{3}}};
    CHECK(jobs.executor().width() == 3);
    jobs.enqueue(test::notes(30)).value();
    const shared_board seen;
    test::run_until_empty(jobs, {}, [&](const note& job) {
        const int now = ++seen->inside;
        for (int most = seen->most; most < now && !seen->most.compare_exchange_weak(most, now);) {}
        if (job.n < 3) (void)eventually([&] { return seen->most == 3; });
        ++seen->runs;
        --seen->inside;
    });
    CHECK(seen->runs == 30);
    CHECK(seen->most == 3);
}

TEST_CASE("a process that exceeds its timeout gets a SIGTERM, and a SIGKILL if it does not end",
          "[executor][process]") {
    const shared_board seen;
    const auto handler = [&](const note& job) {
        if (job.n == 1) (void)std::signal(SIGTERM, SIG_IGN);
        seen->last_pid = ::getpid();
        while (true) ::pause();
    };
    struct brisk : process {
        brisk() : process{{.grace = 20ms}} {}
    };
    queue_with<timeout<50ms, brisk>> jobs;
    jobs.enqueue(note{.n = GENERATE(0, 1)}).value();
    const auto before = std::chrono::steady_clock::now();
    test::run_until_empty(jobs, {.max_attempts = 1}, handler);
    CHECK(std::chrono::steady_clock::now() - before < 30s);
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 50 ms");
    CHECK_FALSE(exists(seen->last_pid));
}

TEST_CASE("a process ends at the timeout of its job", "[executor][process][settings]") {
    const shared_board seen;
    queue_with<process> jobs;
    jobs.enqueue(note{}, {.timeout = 50ms}).value();
    test::run_until_empty(jobs, {.max_attempts = 1}, [&](const note&) {
        seen->last_pid = ::getpid();
        while (true) ::pause();
    });
    CHECK(reason_of_the_one_held(jobs) == "attempt 1 of 1 failed: timed out after 50 ms");
    CHECK_FALSE(exists(seen->last_pid));
}

TEST_CASE("an attempt does not count if its process is ended because the worker stops", "[executor][process]") {
    const shared_board seen;
    queue_with<process> jobs;
    jobs.enqueue(note{}).value();
    test::running_worker w{jobs, {.grace = 0s}, [&](const note&) {
                               seen->last_pid = ::getpid();
                               while (true) ::pause();
                           }};
    REQUIRE(eventually([&] { return seen->last_pid != 0; }));
    w.stop().value();
    CHECK_FALSE(exists(seen->last_pid));
    CHECK(jobs.counts<note>().value() == lane_counts{.ready = 1});
    test::run_until_empty(
        jobs, {}, [&](const note&, pgq::context& c) -> pgq::outcome { return pgq::hold{std::to_string(c.attempt())}; });
    CHECK(reason_of_the_one_held(jobs) == "1");
}

TEST_CASE("retrying around a process runs a failed handler in a new process", "[executor][process]") {
    const shared_board seen;
    queue_with<retrying<pgq::backoff::none, process>> jobs;
    jobs.enqueue(note{}).value();
    test::run_until_empty(jobs, {}, [&](const note&, pgq::context& c) {
        ++seen->runs;
        if (c.try_number() < 3) crash(SIGKILL);
    });
    CHECK(seen->runs == 3);
    CHECK(jobs.counts<note>().value() == lane_counts{});
}

TEST_CASE("a job whose payload cannot be read in the process is held", "[executor][process]") {
    queue_with<process> jobs;
    auto session = jobs.driver().connect(pgq::session_role::client).value();
    pgq::bodies broken;
    broken.bytes() += "{\"n\": \"seven\"}";
    broken.close();
    std::vector<pgq::job_id> ids;
    const std::vector<pgq::enqueue_options> options(1);
    session.enqueue({jobs.lanes().value()[0], &broken, options}, ids).value();
    test::run_until_empty(jobs, {}, [](const note&) {});
    CHECK(reason_of_the_one_held(jobs).starts_with("the payload cannot be read: "));
}

TEST_CASE("a worker without its fork server gives jobs back with a delay and reports an error", "[executor][process]") {
    const shared_board seen;
    queue_with<process> jobs;
    jobs.enqueue(note{}).value();
    test::running_worker w{jobs, {}, [&](const note& job) {
                               seen->last_pid = ::getpid();
                               if (job.n == 0) (void)::kill(::getppid(), SIGKILL);
                               while (true) ::pause();
                           }};
    REQUIRE(eventually([&] { return jobs.observer()->errors >= 1; }));
    CHECK(eventually([&] { return jobs.counts<note>().value() == lane_counts{.deferred = 1}; }));
    w.stop().value();
    CHECK(eventually([&] { return !runs(seen->last_pid); }));
}

TEST_CASE("the children of a killed worker end", "[executor][process]") {
    const shared_board seen;
    const pid_t worker = ::fork();
    REQUIRE(worker >= 0);
    if (worker == 0) {
        queue_with<process> jobs;
        (void)jobs.enqueue(note{});
        pgq::worker w{jobs, [&](const note&) {
                          (void)std::signal(SIGTERM, SIG_IGN);
                          seen->last_pid = ::getpid();
                          while (true) ::pause();
                      }};
        (void)w.run();
        std::_Exit(1);
    }
    const bool began = eventually([&] { return seen->last_pid != 0; });
    (void)::kill(worker, SIGKILL);
    while (::waitpid(worker, nullptr, 0) < 0 && errno == EINTR) {}
    REQUIRE(began);
    CHECK(eventually([&] { return !exists(seen->last_pid); }));
}

namespace {

std::string shout(void* code, std::string_view request) noexcept {
    if (request == "crash") crash(SIGSEGV);
    if (request == "sleep") {
        static_cast<board*>(code)->last_pid = ::getpid();
        while (true) ::pause();
    }
    return std::string{request} + "!";
}

}  // namespace

TEST_CASE("a fork server answers many threads at once", "[executor][process]") {
    const fork_server server{&shout, nullptr};
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 20; ++i) {
                    std::string answer;
                    const auto asked = i % 5 == 0 ? std::string{"crash"} : std::to_string(t) + "." + std::to_string(i);
                    const child_end end = server.run(asked, {}, 1s, answer);
                    const bool crashed = end.how == child_end::kind::by_signal && end.value == SIGSEGV;
                    const bool answered = end.how == child_end::kind::answered && answer == asked + "!";
                    if (asked == "crash" ? !crashed : !answered) ++wrong;
                }
            });
    }
    CHECK(wrong == 0);
}

TEST_CASE("the children of a fork server end when the server ends", "[executor][process]") {
    const shared_board seen;
    pid_t server_pid = 0;
    {
        std::string answer;
        std::jthread caller;
        child_end end;
        {
            const fork_server server{&shout, seen.operator->()};
            server_pid = server.pid();
            caller = std::jthread{[&] { end = server.run("sleep", {}, 1s, answer); }};
            REQUIRE(eventually([&] { return seen->last_pid != 0; }));
            (void)::kill(server_pid, SIGTERM);  // the server ignores it, because the worker decides when it ends
            std::string other;
            CHECK(server.run("still there", {}, 1s, other).how == child_end::kind::answered);
            (void)::kill(seen->last_pid, SIGTERM);
            caller.join();
            CHECK(end.how == child_end::kind::by_signal);
            CHECK(end.value == SIGTERM);
        }
        CHECK_FALSE(exists(seen->last_pid));
    }
    CHECK_FALSE(exists(server_pid));
}

}  // namespace unit_executor_process
