// expect: pgq: two policies have the same category\. Keep one

#include "fakes.hpp"

#include <pgq/delivery/at_least_once.hpp>
#include <pgq/delivery/at_most_once.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once, pgq::delivery::at_least_once>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
