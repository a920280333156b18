#include <pgq/backoff/fixed.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/run.hpp>
#include <pgq/run/notify_socket.hpp>
#include <pgq/run/signal_pipe.hpp>
#include <pgq/scheduler.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/worker.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>
#include <support/jobs.hpp>

#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <future>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace unit_run {

using namespace std::chrono_literals;
using pgq::errc;
using pgq::run_options;
using test::eventually;

namespace {

const auto soon = [](auto condition) { return eventually(condition); };

// Something that pgq::run can run. The test says how each run ends; without that it runs until the stop.
struct part {
    std::function<pgq::result<void>(int run)> end{};
    std::atomic<int> runs{0};
    std::atomic<bool> running{false};

    pgq::result<void> run(const std::stop_token& stop) {
        const int n = ++runs;
        if (end) return end(n);
        running = true;
        (void)soon([&] { return stop.stop_requested(); });
        running = false;
        return {};
    }
};

struct unhealthy_part : part {
    pgq::worker_health health() const {
        ++asked;
        return {.running = running, .connected = connected, .last_heartbeat = 1s, .lease_time = 15s};
    }
    std::atomic<bool> connected{false};
    mutable std::atomic<int> asked{0};
};

// Options that keep the lines of the log.
struct quiet {
    std::vector<std::string> lines{};
    run_options options{.restart_backoff = pgq::backoff::fixed{1ms},
                        .log = [this](std::string_view line) { lines.emplace_back(line); }};
};

void (*handler_of(int number))(int) {
    struct sigaction now {};
    ::sigaction(number, nullptr, &now);
    return now.sa_handler;
}

}  // namespace

TEST_CASE("run runs a scheduler beside a worker", "[unit][run]") {
    pgq::queue<pgq::job<test::note>, pgq::driver::memory, pgq::serializer::json> jobs{pgq::driver::memory{}};
    std::stop_source stop;
    std::atomic<int> seen{0};
    pgq::worker w{jobs, [&](const test::note& n) {
                      if (n.n == 7 && ++seen == 2) stop.request_stop();
                  }};
    pgq::scheduler s{jobs};
    s.every(1s, test::note{.n = 7}).value();
    static_assert(pgq::runnable<decltype(s)>);
    CHECK(pgq::run({.handle_signals = false, .stop = stop.get_token()}, w, s).exit_code() == 0);
    CHECK(seen >= 2);
}

TEST_CASE("run returns when all of its parts have ended", "[unit][run]") {
    part one{.end = [](int) { return pgq::result<void>{}; }};
    part two{.end = [](int) { return pgq::result<void>{}; }};
    const auto ended = pgq::run(one, two);
    CHECK(ended == 0);
    CHECK(one.runs == 1);
    CHECK(two.runs == 1);
}

TEST_CASE("a SIGTERM or SIGINT stops all parts, and run succeeds", "[unit][run]") {
    const int number = GENERATE(SIGTERM, SIGINT);
    part one, two;
    std::jthread sender{[&] {
        (void)soon([&] { return one.running && two.running; });
        ::kill(::getpid(), number);
    }};
    CHECK(pgq::run(one, two) == 0);
    CHECK(one.runs == 1);
    CHECK_FALSE(one.running);
    CHECK_FALSE(two.running);
}

TEST_CASE("a SIGHUP calls the hook and stops nothing, and without a hook it does nothing", "[unit][run]") {
    part p;
    std::stop_source stop;
    std::atomic<int> hangups{0};
    run_options o{.stop = stop.get_token()};
    const bool hooked = GENERATE(true, false);
    if (hooked) o.on_hangup = [&] { ++hangups; };
    std::jthread sender{[&] {
        (void)soon([&] { return p.running.load(); });
        ::kill(::getpid(), SIGHUP);
        if (hooked) (void)soon([&] { return hangups == 1; });
        stop.request_stop();
    }};
    CHECK(pgq::run(o, p) == 0);
    CHECK(hangups == (hooked ? 1 : 0));
}

TEST_CASE("run restores the signals, and leaves those alone that the program ignores", "[unit][run]") {
    const auto hup = ::signal(SIGHUP, SIG_IGN);
    const auto term = handler_of(SIGTERM), interrupt = handler_of(SIGINT);
    part p;
    std::stop_source stop;
    std::jthread watcher{[&] {
        (void)soon([&] { return p.running.load(); });
        CHECK(handler_of(SIGTERM) != term);
        CHECK(handler_of(SIGHUP) == SIG_IGN);
        stop.request_stop();
    }};
    CHECK(pgq::run({.stop = stop.get_token()}, p) == 0);
    watcher.join();
    CHECK(handler_of(SIGTERM) == term);
    CHECK(handler_of(SIGINT) == interrupt);
    ::signal(SIGHUP, hup);
}

TEST_CASE("without handle_signals run leaves the signals alone, and several may run", "[unit][run]") {
    const auto term = handler_of(SIGTERM);
    part one, two, three;
    std::stop_source stop;
    const run_options o{.handle_signals = false, .stop = stop.get_token()};
    auto first = std::async(std::launch::async, [&] { return pgq::run(o, one).exit_code(); });
    auto second = std::async(std::launch::async, [&] { return pgq::run(o, two).exit_code(); });
    REQUIRE(soon([&] { return one.running && two.running; }));
    CHECK(handler_of(SIGTERM) == term);
    stop.request_stop();
    CHECK(first.get() == 0);
    CHECK(second.get() == 0);
}

TEST_CASE("a second run that handles signals is an error, and the first goes on", "[unit][run]") {
    part one, two;
    std::stop_source stop;
    auto first = std::async(std::launch::async, [&] { return pgq::run({.stop = stop.get_token()}, one).exit_code(); });
    REQUIRE(soon([&] { return one.running.load(); }));
    const auto second = pgq::run(two);
    REQUIRE_FALSE(second.how());
    CHECK(second.how().error() == errc::invalid_option);
    CHECK(second.exit_code() == 78);
    CHECK(two.runs == 0);
    CHECK(one.running);
    stop.request_stop();
    CHECK(first.get() == 0);
    CHECK(pgq::run({.stop = stop.get_token()}, two) == 0);  // and now it may
}

TEST_CASE("a stop request before run starts nothing", "[unit][run]") {
    part p;
    std::stop_source stop;
    stop.request_stop();
    CHECK(pgq::run({.stop = stop.get_token()}, p) == 0);
    CHECK(p.runs == 0);
}

TEST_CASE("a part that fails with an error that may pass runs again, and the log says so", "[unit][run]") {
    part p{.end = [](int n) {
        if (n < 3) return pgq::result<void>{pgq::error_info{errc::connection_lost, "no route to host"}};
        return pgq::result<void>{};
    }};
    quiet q;
    CHECK(pgq::run(q.options, p) == 0);
    CHECK(p.runs == 3);
    CHECK(q.lines == std::vector<std::string>(2, "part 1 failed: no route to host; it starts again in 1 ms"));
}

TEST_CASE("after an error that does not pass the others stop, and run returns it", "[unit][run]") {
    part good;
    part bad{.end = [&](int) {
        (void)soon([&] { return good.running.load(); });
        return pgq::result<void>{pgq::error_info{errc::schema_missing, "no tables"}};
    }};
    quiet q;
    const auto ended = pgq::run(q.options, good, bad);
    REQUIRE_FALSE(ended.how());
    CHECK(ended.how().error() == errc::schema_missing);
    CHECK(ended == 78);
    CHECK_FALSE(good.running);
    CHECK(q.lines == std::vector<std::string>{"part 2 failed: no tables"});
}

TEST_CASE("an exception of a part stops all, with its text", "[unit][run]") {
    part p{.end = [](int n) -> pgq::result<void> {
        if (n == 1) throw pgq::failure{errc::connection_lost};  // this one passes
        throw std::runtime_error{"out of paper"};
    }};
    quiet q;
    const auto ended = pgq::run(q.options, p);
    CHECK(p.runs == 2);
    REQUIRE_FALSE(ended.how());
    CHECK(ended.how().error().message == "out of paper");
    CHECK(ended == 1);
}

TEST_CASE("a health port that cannot be opened is an error before anything runs", "[unit][run]") {
    part p;
    const auto ended = pgq::run({.health_port = 1, .health_address = "nowhere"}, p);
    CHECK(ended == 78);
    CHECK(p.runs == 0);
}

TEST_CASE("systemd is told READY when all parts are connected, signs of life, and STOPPING before the parts stop",
          "[unit][run][systemd]") {
    const std::string name = "@pgq_run_" + std::to_string(::getpid());
    const auto address = pgq::detail::notify_address(name).value();
    const pgq::detail::owned_fd in{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::bind(in.get(), reinterpret_cast<const sockaddr*>(&address.name), address.size) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "20000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    std::string text_received;
    const auto received = [&](const char* text) {
        char bytes[256];
        for (ssize_t n; (n = ::recv(in.get(), bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            text_received.append(bytes, static_cast<std::size_t>(n)) += '|';
        return text_received.find(text) != std::string::npos;
    };

    unhealthy_part p;
    std::stop_source stop;
    auto running = std::async(std::launch::async, [&] { return pgq::run({.stop = stop.get_token()}, p).exit_code(); });
    CHECK(soon([&] { return received("STATUS=not ready: 0 of 1 connected|"); }));
    CHECK_FALSE(received("READY"));
    p.connected = true;
    CHECK(soon([&] { return received("READY=1\nSTATUS=running: 1 of 1 connected\nWATCHDOG=1|"); }));
    CHECK(soon([&] { return received("|WATCHDOG=1|WATCHDOG=1|"); }));
    stop.request_stop();
    CHECK(running.get() == 0);
    CHECK(received("STOPPING=1\nSTATUS=stopping"));
    for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(variable);
}

TEST_CASE("a part that is not healthy for too long gets no signs of life", "[unit][run][systemd]") {
    const std::string name = "@pgq_run_sick_" + std::to_string(::getpid());
    const auto address = pgq::detail::notify_address(name).value();
    const pgq::detail::owned_fd in{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    REQUIRE(::bind(in.get(), reinterpret_cast<const sockaddr*>(&address.name), address.size) == 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ::setenv("WATCHDOG_USEC", "20000", 1);
    const auto next = [&] {
        char bytes[256];
        const auto n = ::recv(in.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        return n < 0 ? std::string{} : std::string(bytes, static_cast<std::size_t>(n));
    };
    const auto hears_life = [&] {
        bool life = false;
        for (std::string text; !(text = next()).empty();) life = life || text.find("WATCHDOG=1") != std::string::npos;
        return life;
    };

    unhealthy_part p;
    p.connected = true;
    std::stop_source stop;
    auto running = std::async(std::launch::async, [&] {
        return pgq::run({.unhealthy_after = 100ms, .stop = stop.get_token()}, p).exit_code();
    });
    CHECK(soon(hears_life));
    p.connected = false;
    CHECK(soon([&] { return test::always(300ms, [&] { return !hears_life(); }); }));
    const int before = p.asked;
    CHECK(test::always(300ms, [&] { return !hears_life(); }));
    CHECK(p.asked - before < 50);  // run() rests, although a sign of life is due
    p.connected = true;
    CHECK(soon(hears_life));
    stop.request_stop();
    CHECK(running.get() == 0);
    for (const char* variable : {"NOTIFY_SOCKET", "WATCHDOG_USEC"}) ::unsetenv(variable);
}

TEST_CASE("a signal to a child that fork() made of a handler does not stop the parent", "[unit][run]") {
    pgq::detail::signal_pipe pipe;
    REQUIRE(pipe.open());
    const pid_t child = ::fork();
    if (child == 0) {
        ::kill(::getpid(), SIGTERM);
        ::_exit(3);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGTERM);
    CHECK(pipe.take() == 0);
    ::kill(::getpid(), SIGTERM);
    CHECK(soon([&] { return pipe.take() == SIGTERM; }));
}

TEST_CASE("run runs a worker, and its health is that of the worker", "[unit][run]") {
    using queue = pgq::queue<test::note, pgq::driver::memory, pgq::serializer::json>;
    queue jobs;
    std::atomic<int> ran{0};
    pgq::worker w{jobs, [&](const test::note&) { ++ran; }};
    CHECK_FALSE(w.is_healthy());
    (void)jobs.enqueue(test::note{}).value();
    std::stop_source stop;
    auto running = std::async(std::launch::async, [&] { return pgq::run({.stop = stop.get_token()}, w).exit_code(); });
    CHECK(soon([&] { return ran == 1; }));
    CHECK(w.is_healthy());
    stop.request_stop();
    CHECK(running.get() == 0);
    CHECK_FALSE(w.health().running);
}

}  // namespace unit_run
