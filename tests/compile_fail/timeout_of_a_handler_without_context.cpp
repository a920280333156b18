// expect: pgq: a handler with a timeout has no stop token\. Let it

#include "fakes.hpp"

#include <pgq/executor/timeout.hpp>

using namespace std::chrono_literals;

using fine = pgq::queue<pgq::job<fakes::mail, pgq::executor::timeout<30s>>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&) {});
}
