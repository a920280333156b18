// expect: pgq: a whole queue has a schedule\. Move it
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<fakes::mail, pgq::schedule::cron<"@daily">, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
