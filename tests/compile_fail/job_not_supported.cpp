// expect: pgq: the serializer does not support a job type\. Give its entrypoint another

#include "fakes.hpp"

using broken = pgq::queue<pgq::job<fakes::mail, fakes::picky_serializer>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
