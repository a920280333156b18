// expect: pgq: a queue has no driver\. Add the

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::serializer>;
static_assert(sizeof(broken) != 0);
