// expect: pgq: the entrypoint of a job type holds a zero byte or invalid UTF-8\. Write it in UTF-8
// within: 10 lines

#include "fakes.hpp"

struct named {
    static constexpr std::string_view entrypoint{"a\0b", 3};
};

using broken = pgq::queue<named, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
