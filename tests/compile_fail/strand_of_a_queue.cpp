// expect: pgq: a whole queue has strand_by\. Move it

#include "fakes.hpp"

#include <pgq/executor/strand_by.hpp>

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, pgq::executor::strand_by<&fakes::mail::to>>;
static_assert(sizeof(broken) != 0);
