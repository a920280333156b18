// expect: pgq: a policy of the whole queue is given to a single entrypoint\. Move it

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::retrying<fakes::executor, fakes::backoff>>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
