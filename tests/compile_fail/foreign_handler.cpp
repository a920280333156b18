// expect: pgq: a handler takes a job type that this queue does not have\. Add pgq::job<T>

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) {}, [](const fakes::stranger&) {});
}
