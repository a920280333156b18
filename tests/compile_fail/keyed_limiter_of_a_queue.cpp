// expect: pgq: a whole queue has a limiter by key\. Move it

#include "fakes.hpp"

#include <pgq/limiter/concurrency_by.hpp>

struct account {
    int number = 0;
};

using broken = pgq::queue<fakes::mail, pgq::limiter::serialized_by<&account::number>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
