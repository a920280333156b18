// expect: pgq: a batch handler returns what is no outcome\. Return void, pgq::outcome for all its jobs

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](std::span<const fakes::mail>) { return 7; });
}
