// expect: pgq: a job with delivery::at_most_once has executor::retrying, but it never runs again\. Remove

#include "fakes.hpp"

#include <pgq/delivery/at_most_once.hpp>
#include <pgq/executor/retrying.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once>, fakes::driver, fakes::serializer,
                          pgq::executor::retrying<fakes::backoff, fakes::executor>>;
static_assert(sizeof(broken) != 0);
