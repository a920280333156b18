// expect: pgq: a handler cannot be called with any job of this queue\. Let it take

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](fakes::mail&) {});
}
