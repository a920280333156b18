// expect: pgq: a handler takes a job that this queue does not know\. Add pgq::job<T>

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) {}, [](const fakes::stranger&) {});
}
