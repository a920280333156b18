// expect: pgq: a schedule does not model pgq::schedule_policy\. Use

#include "fakes.hpp"

struct sometimes {
    using policy_category = pgq::schedule_tag;
};

using broken = pgq::queue<pgq::job<fakes::mail, sometimes>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
