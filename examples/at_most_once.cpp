// Rings a bell at most once: to ring it twice would be worse than not at all. This example keeps the jobs in memory;
// driver::libpq works the same.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct ring_bell {
    static constexpr std::string_view entrypoint = "ring_bell";
    std::string tower{};
};
struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::string to{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::ring_bell, tower);
BOOST_HANA_ADAPT_STRUCT(app::send_email, to);

namespace app {

// The database does not store why a bell did not ring. Only an observer sees it.
struct failure_printer {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::job_finished& e) {
        if (e.what != pgq::outcome::kind::done)
            std::printf("%.*s: %.*s\n", static_cast<int>(e.entrypoint.size()), e.entrypoint.data(),
                        static_cast<int>(e.reason.size()), e.reason.data());
    }
};

using app_queue = pgq::queue<pgq::job<ring_bell, pgq::delivery::at_most_once>,  // removed before its handler is called
                             send_email,  // the default: done when its handler has ended
                             pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place, failure_printer>;

}  // namespace app

int main() try {
    app::app_queue jobs;
    jobs.enqueue(std::vector<app::ring_bell>{{"north"}, {"ruin"}, {"south"}}).value();
    jobs.enqueue(app::send_email{"ada@example.org"}).value();

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty,
                  [](const app::ring_bell& b) {
                      if (b.tower == "ruin") throw std::runtime_error{"the rope is torn"};
                      std::printf("%s: ding\n", b.tower.c_str());
                  },
                  [](const app::send_email& m) { std::printf("sent to %s\n", m.to.c_str()); }};
    w.run().value();
    if (jobs.counts<app::ring_bell>().value() == pgq::lane_counts{}) std::printf("no bell is left\n");
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "at_most_once: %s\n", e.info().text().c_str());
    return 1;
}
