// expect: pgq: with a concurrency of zero or less no job starts\. Give a
// within: 10 lines

#include "fakes.hpp"

#include <pgq/limiter/global_concurrency.hpp>

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::limiter::global_concurrency<-1>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
