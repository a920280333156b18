// expect: pgq: an entrypoint has a policy that only a whole queue may have\. Move it

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::retrying<fakes::executor, fakes::backoff>>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
