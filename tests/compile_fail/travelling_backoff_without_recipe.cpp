// expect: pgq: a travelling backoff is around one that cannot be written down\. Give that

#include "fakes.hpp"

#include <pgq/backoff/travelling.hpp>

using broken =
    pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, pgq::backoff::travelling<fakes::backoff>>;
static_assert(sizeof(broken) != 0);
