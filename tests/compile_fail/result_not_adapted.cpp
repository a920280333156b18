// expect: pgq: the serializer cannot write and read the `result` of a job type\.
// within: 10 lines

#include "fakes.hpp"

#include <pgq/serializer/json.hpp>

struct hidden {
    int x = 0;
};
struct sum {
    static constexpr std::string_view entrypoint = "sum";
    using result = hidden;
    int a = 0;
};
BOOST_HANA_ADAPT_STRUCT(sum, a);

using broken = pgq::queue<sum, fakes::driver, pgq::serializer::json>;
static_assert(sizeof(broken) != 0);
