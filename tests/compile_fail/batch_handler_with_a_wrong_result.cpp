// expect: pgq: a batch handler returns a type that is not an outcome\. Return void,

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](std::span<const fakes::mail>) { return 7; });
}
