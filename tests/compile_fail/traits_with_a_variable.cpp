// expect: pgq: the entrypoint of a job type is not a constant\. Write `static constexpr std::string_view entrypoint
// within: 10 lines

#include "fakes.hpp"

struct named {};
template <>
struct pgq::job_traits<named> {
    static inline std::string_view entrypoint = "variable";
};

using broken = pgq::queue<pgq::job<named>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
