#include <separate/greeting.hpp>

#include <pgq/pgq.hpp>

#include <string>

namespace separate {

std::string work(greetings& queue) {
    std::string names;
    pgq::worker w{pgq::rebind<greetings, pgq::executor::in_place>{queue.driver()},
                  pgq::worker_options{.until = pgq::run_until::empty},
                  [&](const greeting& g) { names += g.name + ' '; }};
    w.run().value();
    return names;
}

}  // namespace separate
