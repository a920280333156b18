// expect: pgq: a batch handler returns something that is no outcome\. Return void, pgq::outcome for all its jobs

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](std::span<const fakes::mail>) { return 7; });
}
