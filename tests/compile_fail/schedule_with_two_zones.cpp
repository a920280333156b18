// expect: pgq: a schedule has two options of the same kind\. Keep one
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<
    pgq::job<fakes::mail, pgq::schedule::cron<"@daily", pgq::schedule::zone<"UTC">, pgq::schedule::zone<"+01:00">>>,
    fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
