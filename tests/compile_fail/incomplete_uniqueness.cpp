// expect: pgq: a policy for unique keys does not model pgq::uniqueness_policy\. Give it

#include "fakes.hpp"

struct ruleless {
    using policy_category = pgq::uniqueness_tag;
    static void key(const fakes::mail&, std::string&) {}
};

using broken = pgq::queue<pgq::job<fakes::mail, ruleless>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
