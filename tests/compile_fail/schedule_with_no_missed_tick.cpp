// expect: pgq: all_missed of a schedule has a number of ticks that is not 1 to 1000, or an age
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily", pgq::schedule::all_missed<0>>>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
