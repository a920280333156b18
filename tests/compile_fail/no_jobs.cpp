// expect: pgq: a queue has no jobs\. Add pgq::job<T>

#include "fakes.hpp"

using broken = pgq::queue<fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
