// expect: pgq: a job with delivery::at_most_once has attempts, but it never runs again\. Remove
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>
#include <pgq/delivery/at_most_once.hpp>

using namespace std::chrono_literals;

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::delivery::at_most_once, pgq::attempts<3>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
