// expect: pgq: a batch handler takes a span of jobs that it could change\. Let it take

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](std::span<fakes::mail>) {});
}
