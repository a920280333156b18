// expect: pgq: two policies have the same category\. Keep one
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<pgq::job<fakes::mail, pgq::attempts<2>, pgq::attempts<3>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
