// expect: pgq: a policy of the whole queue is given to a single entrypoint\. Move it out of pgq::job

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail, fakes::executor>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
