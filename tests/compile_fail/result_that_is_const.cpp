// expect: pgq: the `result` of a job type is void, a reference or const\. Remove it, or name the type of a value
// within: 10 lines

#include "fakes.hpp"

struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = const int;
    int a = 0;
};
BOOST_HANA_ADAPT_STRUCT(sum, a);

using broken = pgq::queue<sum, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
