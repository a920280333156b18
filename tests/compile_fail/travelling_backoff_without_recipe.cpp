// expect: pgq: the inner back-off of travelling<> cannot be written as text\. Give it

#include "fakes.hpp"

#include <pgq/backoff/travelling.hpp>

using broken =
    pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, pgq::backoff::travelling<fakes::backoff>>;
static_assert(sizeof(broken) != 0);
