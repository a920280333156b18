// expect: pgq: delay, expires_in or keep_outcome has a time of zero or less\. Give
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<pgq::job<fakes::mail, pgq::expires_in<-1s>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
