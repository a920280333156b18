// expect: pgq: a job with delivery::at_most_once has a limit on running jobs over all workers, but the

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>

using whole = pgq::limiter::all_of<pgq::limiter::global_rate<5>, pgq::limiter::global_concurrency<2>>;
using broken = pgq::queue<fakes::mail, pgq::delivery::at_most_once, whole, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
