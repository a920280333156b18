// expect: pgq: two jobs of one queue have the same entrypoint\. .*name each job once

#include "fakes.hpp"

using broken = pgq::queue<fakes::mail, pgq::job<fakes::mail, fakes::backoff>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
