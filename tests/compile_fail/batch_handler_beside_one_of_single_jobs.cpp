// expect: pgq: two handlers accept the same job

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) {}, [](std::span<const fakes::mail>) {});
}
