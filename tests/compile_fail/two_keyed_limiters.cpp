// expect: pgq: two limiters of one entrypoint limit by a key\. Remove one

#include "fakes.hpp"

#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency_by.hpp>

struct account {
    int number = 0, branch = 0;
};

template <auto Member>
using one_of = pgq::limiter::serialized_by<Member>;
using both = pgq::limiter::all_of<one_of<&account::number>, one_of<&account::branch>>;
using broken = pgq::queue<pgq::job<fakes::mail, both>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
