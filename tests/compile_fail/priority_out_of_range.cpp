// expect: pgq: priority has a number out of range\. Give
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<pgq::job<fakes::mail, pgq::priority<40000>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
