// expect: pgq: backoff::stored is around a backoff that has no spec\. Give it

#include "fakes.hpp"

#include <pgq/backoff/stored.hpp>

using broken =
    pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, pgq::backoff::stored<fakes::backoff>>;
static_assert(sizeof(broken) != 0);
