// expect: pgq: a serializer, backoff or limiter has no default constructor\. Add one

#include "fakes.hpp"

struct patient : fakes::backoff {
    explicit patient(int) {}
};

using broken = pgq::queue<pgq::job<fakes::mail, patient>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
