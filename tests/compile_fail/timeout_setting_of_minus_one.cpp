// expect: pgq: a timeout has a time of zero or less\. Give it
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

using namespace std::chrono_literals;

using broken = pgq::queue<fakes::mail, pgq::timeout<-1s>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
