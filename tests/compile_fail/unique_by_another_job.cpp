// expect: pgq: a unique key cannot be made of this job\. Name members of the job itself

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

struct account {
    int number = 0;
};

using broken = pgq::queue<pgq::job<fakes::mail, pgq::unique_by<&account::number>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
