// expect: pgq: a schedule has an argument that is no option of schedules\. Write pgq::schedule::zone
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily", pgq::attempts<5>>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
