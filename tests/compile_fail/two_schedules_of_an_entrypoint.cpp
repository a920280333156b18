// expect: pgq: two policies have the same category\. Keep one
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily">, pgq::schedule::cron<"@hourly">>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
