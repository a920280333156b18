// expect: pgq: a policy names a category that does not exist\. Use driver_tag

#include "fakes.hpp"

struct telepathy {
    using policy_category = struct mind_tag;
};

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, telepathy>;
static_assert(sizeof(broken) != 0);
