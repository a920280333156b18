// expect: pgq: unique keys are made for a whole queue\. Give unique_by to one entrypoint

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

using broken = pgq::queue<fakes::mail, pgq::unique_by<>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
