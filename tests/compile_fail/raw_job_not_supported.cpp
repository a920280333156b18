// expect: pgq: the serializer does not support a job type\. Give its entrypoint another

#include "fakes.hpp"

#include <pgq/serializer/raw.hpp>

using broken = pgq::queue<pgq::job<fakes::picture>, fakes::driver, pgq::serializer::raw>;
static_assert(sizeof(broken) != 0);
