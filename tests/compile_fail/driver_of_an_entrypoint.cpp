// expect: pgq: a policy of the whole queue is given to a single entrypoint\. Move it

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail, fakes::other_driver>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
