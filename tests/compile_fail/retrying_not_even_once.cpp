// expect: pgq: retrying calls the handler not even once\. Give it tries<1>

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer,
                          pgq::executor::retrying<fakes::backoff, pgq::executor::tries<0>>>;
static_assert(sizeof(broken) != 0);
