// expect: pgq: a batch handler takes a span of mutable jobs\. Let it

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](std::span<fakes::mail>) {});
}
