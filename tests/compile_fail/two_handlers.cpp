// expect: pgq: two handlers accept the same job\. Keep one

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) {}, [](const fakes::mail&, pgq::context&) {});
}
