// expect: pgq: a whole queue has unique_by\. Move it

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

using broken = pgq::queue<fakes::mail, pgq::unique_by<>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
