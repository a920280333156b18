// expect: pgq: a timeout leaves no time at all\. Give it a time above zero

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>
#include <pgq/executor/timeout.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::retrying<fakes::backoff, pgq::executor::timeout<0s>>>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
