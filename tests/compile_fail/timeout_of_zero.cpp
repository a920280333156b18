// expect: pgq: a timeout has a time of zero or less\. Give it

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>
#include <pgq/executor/timeout.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::retrying<fakes::backoff, pgq::executor::timeout<0s>>>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
