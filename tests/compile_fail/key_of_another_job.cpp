// expect: pgq: a limiter by key cannot make its key from this job\. Name a

#include "fakes.hpp"

#include <pgq/limiter/concurrency_by.hpp>

struct account {
    int number = 0;
};

using broken =
    pgq::queue<pgq::job<fakes::mail, pgq::limiter::serialized_by<&account::number>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
