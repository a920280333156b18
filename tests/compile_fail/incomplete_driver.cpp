// expect: pgq: a driver does not model pgq::driver_policy\. Give it

#include "fakes.hpp"

struct driver_without_session {
    using policy_category = pgq::driver_tag;
    pgq::result<void> install() const { return {}; }
};

using broken = pgq::queue<pgq::job<fakes::mail>, driver_without_session, fakes::serializer>;
static_assert(sizeof(broken) != 0);
