// running [--port N] [CONNECTION-STRING]: a program for systemd or a container. It runs jobs until SIGTERM or Ctrl-C,
// starts again after a failure that passes, and answers for its health.

#include "mail.hpp"

#include <pgq/run.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <stop_token>
#include <string_view>

namespace {

using namespace std::chrono_literals;

std::atomic<bool> prints_mails{false};

void deliver(const mail::send_email& m) {
    if (prints_mails) std::printf("to %s\n", m.to.c_str());
}

// Something else that the program runs beside its worker: anything with this member. It returns when `stop` fires. If
// it returns an error that passes, such as errc::connection_lost, pgq::run starts it again.
template <class Worker>
class health_printer {
public:
    explicit health_printer(const Worker& w) : worker_{&w} {}

    pgq::result<void> run(std::stop_token stop) {
        std::mutex m;
        std::condition_variable_any never;
        std::unique_lock lock{m};
        while (!never.wait_for(lock, stop, 10s, [&] { return stop.stop_requested(); })) {
            const pgq::worker_health h = worker_->health();
            std::printf("%s, %u handlers run\n", h.is_healthy() ? "healthy" : "not connected", h.handlers);
            std::fflush(stdout);
        }
        return {};
    }

private:
    const Worker* worker_;
};

}  // namespace

int main(int argc, char** argv) try {
    const bool has_port = argc > 2 && std::string_view{argv[1]} == "--port";
    const char* conninfo = has_port ? argv[3] : argv[1];

    mail::queue jobs{mail::database(conninfo)};
    jobs.install().value();
    pgq::worker w{jobs, pgq::worker_options{.grace = 20s}, deliver};
    health_printer printer{w};

    pgq::run_options options;
    if (has_port) options.health_port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    options.longest_handler = 10min;                                  // a handler that runs for longer hangs
    options.on_hangup = [] { prints_mails = !prints_mails.load(); };  // SIGHUP
    return pgq::run(options, w, printer);
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "running: %s\n", e.info().text().c_str());
    return 1;
}
