// expect: pgq: a job type has no entrypoint\. Add

#include "fakes.hpp"

// A name that is no text is no name.
struct numbered {
    static constexpr int entrypoint = 7;
};

using broken = pgq::queue<pgq::job<numbered>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
