// expect: pgq: two policies have the same category\. Keep one

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, fakes::other_driver>;
static_assert(sizeof(broken) != 0);
