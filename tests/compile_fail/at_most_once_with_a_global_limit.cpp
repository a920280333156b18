// expect: pgq: a job that is delivered at most once has a limit on how many run at once over all workers

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/limiter/global_concurrency.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once, pgq::limiter::serialized>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
