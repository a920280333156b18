// expect: pgq: a delivery policy does not model pgq::delivery_policy\. Use delivery::at_least_once

#include "fakes.hpp"

struct by_owl {
    using policy_category = pgq::delivery_tag;
};

using broken = pgq::queue<pgq::job<fakes::mail, by_owl>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
