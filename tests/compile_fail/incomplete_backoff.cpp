// expect: pgq: a backoff does not model pgq::backoff_policy\. Give it

#include "fakes.hpp"

struct backoff_that_may_throw {
    using policy_category = pgq::backoff_tag;
    pgq::duration delay(int) const { return {}; }
};

using broken = pgq::queue<pgq::job<fakes::mail, backoff_that_may_throw>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
