// expect: pgq: strand_by names something that is no member of its job\. Name one

#include "fakes.hpp"

#include <pgq/executor/strand_by.hpp>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::executor::strand_by<&fakes::picture::edge>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
