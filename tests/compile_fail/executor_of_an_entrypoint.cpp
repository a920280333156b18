// expect: pgq: an entrypoint has a policy that only a whole queue may have\. Move it

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail, fakes::executor>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
