// expect: pgq: a limiter does not model pgq::limiter_policy\. Make it copyable

#include "fakes.hpp"

struct limiter {
    using policy_category = pgq::limiter_tag;
};

using broken = pgq::queue<pgq::job<fakes::mail, limiter>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
