// expect: pgq: two policies have the same category\. Keep one

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail, fakes::backoff, fakes::backoff>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
