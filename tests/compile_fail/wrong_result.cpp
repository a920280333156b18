// expect: pgq: a handler returns something that is no outcome\. Return void

#include "fakes.hpp"

// A picture has a result; a mail has none.
void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) { return 7; });
}
