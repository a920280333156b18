// expect: pgq: a batch handler cannot run inside retrying, timeout, strand_by or process\. Remove

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

#include <span>

using namespace std::chrono_literals;

using fine = pgq::queue<fakes::mail, pgq::timeout<30s>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<fine>([](std::span<const fakes::mail>) {});
}
