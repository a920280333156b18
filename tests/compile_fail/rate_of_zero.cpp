// expect: pgq: with a rate of zero or less no job starts\. Give a

#include "fakes.hpp"

#include <pgq/limiter/rate.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::limiter::rate<0>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
