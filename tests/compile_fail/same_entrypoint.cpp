// expect: pgq: two jobs of one queue have the same entrypoint\. Give each

#include "fakes.hpp"

struct letter {
    static constexpr std::string_view entrypoint = "mail";
    int x = 0;
};
BOOST_HANA_ADAPT_STRUCT(letter, x);

using broken =
    pgq::queue<pgq::job<fakes::mail>, pgq::job<fakes::picture>, pgq::job<letter>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
