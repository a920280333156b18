// expect: pgq: a job with delivery::at_most_once has a backoff, but it never runs again\. Remove one

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once, fakes::backoff>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
