// expect: pgq: a job type has no serializer\. Add pgq::serializer::json,

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail, fakes::serializer>, pgq::job<fakes::picture>, fakes::driver>;
static_assert(sizeof(broken) != 0);
