// expect: pgq: a job type has no entrypoint\. Add

#include "fakes.hpp"

// An entrypoint must be a text.
struct numbered {
    static constexpr int entrypoint = 7;
};

using broken = pgq::queue<pgq::job<numbered>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
