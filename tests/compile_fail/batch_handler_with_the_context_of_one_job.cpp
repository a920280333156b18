// expect: pgq: a batch handler takes the context of a single job\. Let it take

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](std::span<const fakes::mail>, pgq::context&) {});
}
