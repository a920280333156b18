// expect: pgq: strand_by is given to a whole queue\. Move it

#include "fakes.hpp"

#include <pgq/executor/strand_by.hpp>

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, pgq::executor::strand_by<&fakes::mail::to>>;
static_assert(sizeof(broken) != 0);
