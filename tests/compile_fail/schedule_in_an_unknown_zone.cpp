// expect: pgq: the zone of a schedule is neither UTC nor an offset such as \+05:45\. For a name
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily", pgq::schedule::zone<"Europe/Berlin">>>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
