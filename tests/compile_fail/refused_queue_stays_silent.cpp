// expect: pgq: a queue has no driver\. Add the

#include "fakes.hpp"

// Code that uses a queue with a mistake adds no error.
using broken = pgq::queue<pgq::job<fakes::mail>, fakes::serializer>;

static_assert(!pgq::diagnostic::require_known_job<broken::composition_type, fakes::mail>());

void start() {
    fakes::handle<broken>([](int) {});
}
