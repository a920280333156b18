// expect: pgq: the entrypoint of a job type is empty\. Give it a name

#include "fakes.hpp"

struct unnamed {
    static constexpr std::string_view entrypoint = "";
};

using broken = pgq::queue<unnamed, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
