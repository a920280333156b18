// expect: pgq: BOOST_HANA_ADAPT_STRUCT lists fewer members than a job type has\. List them all
// within: 10 lines

#include "fakes.hpp"

struct order {
    static constexpr std::string_view entrypoint = "order";
    std::string customer{};
    int amount = 0;
    std::string note{};
};
BOOST_HANA_ADAPT_STRUCT(order, customer, note);

using broken = pgq::queue<order, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
