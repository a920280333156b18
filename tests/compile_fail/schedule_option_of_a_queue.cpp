// expect: pgq: an option of a schedule is not in a schedule\. Move it there
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

using broken = pgq::queue<fakes::mail, pgq::schedule::skip_missed, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
