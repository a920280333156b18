// expect: pgq: retrying has less than one try, so it never calls the handler\. Give it

#include "fakes.hpp"

#include <pgq/executor/retrying.hpp>

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer,
                          pgq::executor::retrying<fakes::backoff, pgq::executor::tries<0>>>;
static_assert(sizeof(broken) != 0);
