// expect: pgq: a job type has no entrypoint\. Add

#include "fakes.hpp"

struct nameless {
    int x = 0;
};
BOOST_HANA_ADAPT_STRUCT(nameless, x);

using broken = pgq::queue<pgq::job<nameless>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
