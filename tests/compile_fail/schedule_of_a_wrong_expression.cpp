// expect: pgq: a number in a cron expression is out of range\. Seconds
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"0 24 * * *">>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
