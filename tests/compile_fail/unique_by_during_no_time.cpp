// expect: pgq: a unique key for a period of zero or less has no effect\. Give a

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

#include <chrono>

using broken = pgq::queue<pgq::job<fakes::mail, pgq::unique_by<>::during<std::chrono::seconds{0}>>, fakes::driver,
                          fakes::serializer>;
static_assert(sizeof(broken) != 0);
