// expect: pgq: a number is not a duration\. Write
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<pgq::job<fakes::mail, pgq::timeout<30>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
