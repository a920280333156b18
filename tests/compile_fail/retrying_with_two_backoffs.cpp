// expect: pgq: a decorator has an argument that it does not take, or two of one kind\. Give it

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>

struct other_backoff : fakes::backoff {};

using broken =
    pgq::queue<fakes::mail, fakes::driver, fakes::serializer, pgq::executor::retrying<fakes::backoff, other_backoff>>;
static_assert(sizeof(broken) != 0);
