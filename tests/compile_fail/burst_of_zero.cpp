// expect: pgq: with a burst of zero or less no job starts\. Give a

#include "fakes.hpp"

#include <pgq/limiter/global_rate.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::limiter::global_rate<100, std::chrono::seconds, 0>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
