// expect: pgq: the jobs of an entrypoint expire before their delay is over\. Make
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using hasty = pgq::job<fakes::mail, pgq::expires_in<1min>>;
using broken = pgq::queue<hasty, pgq::delay<1h>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
