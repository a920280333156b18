// expect: pgq: a serializer is around versioned<> and hides its versions\. Put versioned<>

#include "fakes.hpp"

#include <pgq/serializer/decorator.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>

struct spelled : pgq::serializer::detail::decorator<pgq::serializer::versioned<pgq::serializer::json>> {};

using broken = pgq::queue<fakes::mail, fakes::driver, spelled>;
static_assert(sizeof(broken) != 0);
