// expect: pgq: retrying has no backoff, so the time between its tries is unknown\. Add one:

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::retrying<pgq::executor::tries<3>>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
