// run:
#include <pgq/driver/memory.hpp>
#include <pgq/observer/all_of.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/observer/log.hpp>
#include <pgq/pgq.hpp>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct greet {
    static constexpr std::string_view entrypoint = "greet";
    std::string name{};
};

// An observer of the program. Events without an `on` cost nothing.
struct slow_jobs {
    using policy_category = pgq::observer_tag;

    void on(const pgq::event::job_finished& e) noexcept {
        const std::string name{e.entrypoint};  // the view is valid only during the call
        if (e.run_time > std::chrono::seconds{1}) std::fprintf(stderr, "slow: %s\n", name.c_str());
    }
};

using observers =
    pgq::observer::all_of<pgq::observer::counters, pgq::observer::log<pgq::observer::to_stream>, slow_jobs>;
using queue = pgq::queue<greet, pgq::driver::memory, pgq::serializer::raw, pgq::backoff::none, pgq::executor::in_place,
                         observers>;

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::greet, name);

int main() {
    pgq::observer::counters seen;  // shares its counts with the copy in the queue
    pgq::observer::log log{std::cout, {.job_done = pgq::observer::log_level::info}};
    app::queue jobs{{}, {}, pgq::executor::in_place{}, app::observers{seen, log, app::slow_jobs{}}};

    jobs.enqueue(std::vector<app::greet>{{"Ada"}, {""}}).value();
    pgq::worker_options until_empty{.max_attempts = 2, .until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [](const app::greet& g) {
                      if (g.name.empty()) throw std::invalid_argument{"nobody to greet"};
                      std::printf("hello, %s\n", g.name.c_str());
                  }};
    w.run().value();

    const pgq::observer::counts counts = seen.snapshot();
    const pgq::observer::job_counts greetings = counts.of("greet");
    std::printf("%d started, %d done, %d retried, %d held\n", int(greetings.started),
                int(greetings.of(pgq::outcome::kind::done)), int(greetings.of(pgq::outcome::kind::retry)),
                int(greetings.of(pgq::outcome::kind::hold)));
    return counts.of<pgq::event::job_finished>() == 3 ? 0 : 1;
}
