// expect: pgq: a job with delivery::at_most_once has a limit on running jobs over all workers, but the

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/limiter/global_concurrency.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once, pgq::limiter::serialized>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
