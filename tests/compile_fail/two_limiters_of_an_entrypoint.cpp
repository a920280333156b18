// expect: pgq: two policies have the same category\. Keep one

#include "fakes.hpp"

#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/rate.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::limiter::rate<50>, pgq::limiter::concurrency<4>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
