// expect: pgq: limiters are not available in this version\. Leave

#include "fakes.hpp"

struct limiter {
    using policy_category = pgq::limiter_tag;
};

using broken = pgq::queue<pgq::job<fakes::mail, limiter>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
