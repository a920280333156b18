// expect: pgq: a number is not a duration\. Write
// within: 10 lines

#include "fakes.hpp"

#include <pgq/executor/timeout.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::timeout<30>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
