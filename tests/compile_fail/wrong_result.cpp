// expect: pgq: a handler returns a type that is not an outcome\. Return void,

#include "fakes.hpp"

// A picture has a result type; a mail has none.
void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&) { return 7; });
}
