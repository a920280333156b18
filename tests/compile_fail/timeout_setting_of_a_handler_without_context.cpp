// expect: pgq: a handler with a timeout has no stop token\. Let it

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using fine = pgq::queue<fakes::mail, pgq::timeout<30s>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<fine>([](const fakes::mail&) {});
}
