// expect: pgq: the jitter of a schedule is not above zero, or it is above a day\. Write
// within: 12 lines

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

#include <chrono>

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::schedule::cron<"@daily", pgq::schedule::jitter<std::chrono::seconds{0}>>>,
               fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
