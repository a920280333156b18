// expect: pgq: a job that is delivered at most once has a backoff, though it never runs again\. Take the backoff

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once, fakes::backoff>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
