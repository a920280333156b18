// expect: pgq: unique_by cannot make a key from this job\. Name members

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

struct account {
    int number = 0;
};

using broken = pgq::queue<pgq::job<fakes::mail, pgq::unique_by<&account::number>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
