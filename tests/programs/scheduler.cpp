// A scheduler process that the tests kill: scheduler KEY=VALUE...
//
//   dsn, schema, queue   where the jobs are stored
//   rules                NAME=EXPRESSION;NAME=EXPRESSION..., with the job `letter`
//   missed               how many missed ticks are fired, 1000
//
// It prints READY when its schedules are stored.

#include <pgq/driver/libpq.hpp>
#include <pgq/scheduler.hpp>

#include <support/child_program.hpp>
#include <support/jobs.hpp>

#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>

namespace {

using queue_type = pgq::queue<pgq::job<test::letter>, pgq::driver::libpq, pgq::serializer::json>;

}  // namespace

int main(int argc, char** argv) {
    sigset_t ends = test::begin_child_program();

    std::map<std::string, std::string> s{{"queue", "default"}, {"rules", ""}, {"missed", "1000"}};
    for (int i = 1; i < argc; ++i) {
        const std::string a = argv[i];
        const auto eq = a.find('=');
        s[a.substr(0, eq)] = a.substr(eq + 1);
    }
    queue_type jobs{pgq::driver::libpq{{.conninfo = s.at("dsn"), .schema = s.at("schema")}}, {.name = s.at("queue")}};
    pgq::scheduler scheduler{jobs};
    std::istringstream rules{s.at("rules")};
    std::int64_t n = 0;
    for (std::string rule; std::getline(rules, rule, ';');) {
        const auto eq = rule.find('=');
        scheduler
            .every(rule.substr(eq + 1), test::letter{++n},
                   {.name = rule.substr(0, eq),
                    .missed = pgq::missed::all(static_cast<std::int32_t>(std::atoi(s.at("missed").c_str())))})
            .value();
    }
    scheduler.declare().value();
    std::puts("READY");
    std::fflush(stdout);

    std::stop_source stop;
    std::thread listener{[&] {
        int number = 0;
        sigwait(&ends, &number);
        stop.request_stop();
    }};
    const auto ended = scheduler.run(stop.get_token());
    ::kill(::getpid(), SIGTERM);
    listener.join();
    if (!ended) std::fprintf(stderr, "%s\n", ended.error().text().c_str());
    return ended ? 0 : 1;
}
