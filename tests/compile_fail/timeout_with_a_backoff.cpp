// expect: pgq: a decorator has an argument that it does not take

#include "fakes.hpp"

#include <pgq/executor/timeout.hpp>

using namespace std::chrono_literals;

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::executor::timeout<30s, fakes::backoff>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
