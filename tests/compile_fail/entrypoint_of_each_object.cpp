// expect: pgq: the entrypoint of a job type is not a constant\. Write `static constexpr std::string_view entrypoint
// within: 10 lines

#include "fakes.hpp"

struct named {
    std::string_view entrypoint = "object";
};

using broken = pgq::queue<named, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
