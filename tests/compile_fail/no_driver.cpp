// expect: pgq: no driver\. Say where the jobs live

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::serializer>;
static_assert(sizeof(broken) != 0);
