// expect: pgq: no driver\. Say where the jobs live

#include "fakes.hpp"

// What is built on a queue that was refused adds no error.
using broken = pgq::queue<pgq::job<fakes::mail>, fakes::serializer>;

static_assert(!pgq::diagnostic::require_known_job<broken::composition_type, fakes::mail>());

void start() {
    fakes::handle<broken>([](int) {});
}
