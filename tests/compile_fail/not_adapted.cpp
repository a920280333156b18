// expect: pgq: the serializer cannot see the members of a job type\. Write BOOST_HANA_ADAPT_STRUCT

#include "fakes.hpp"

struct hidden {
    static constexpr std::string_view entrypoint = "hidden";
    int x = 0;
};

using broken = pgq::queue<pgq::job<fakes::mail>, pgq::job<hidden>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
