// expect: pgq: attempts has a number below 1 or above 32767\. Give a number
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<fakes::mail, pgq::attempts<-1>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
