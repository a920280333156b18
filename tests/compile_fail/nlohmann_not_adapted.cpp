// expect: pgq: the serializer cannot see the members of a job type\. Write BOOST_HANA_ADAPT_STRUCT

#include "fakes.hpp"

#include <pgq/serializer/nlohmann.hpp>

struct hidden {
    static constexpr std::string_view entrypoint = "hidden";
    int x = 0;
};

using broken = pgq::queue<pgq::job<hidden>, fakes::driver, pgq::serializer::nlohmann>;
static_assert(sizeof(broken) != 0);
