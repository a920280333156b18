// expect: pgq: with a burst of zero or less no job starts\. Give a
// within: 10 lines

#include "fakes.hpp"

#include <pgq/limiter/global_rate.hpp>

#include <chrono>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::limiter::global_rate<50, std::chrono::seconds, -1>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
