// expect: pgq: all_missed of a schedule has a number of ticks that is not 1 to 1000, or an age
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

#include <chrono>

using broken = pgq::queue<
    pgq::job<fakes::mail, pgq::schedule::cron<"@daily", pgq::schedule::all_missed<5, std::chrono::seconds{-1}>>>,
    fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
