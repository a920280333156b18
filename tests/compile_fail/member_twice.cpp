// expect: pgq: BOOST_HANA_ADAPT_STRUCT lists a member of a job type twice\. List it once
// within: 10 lines

#include "fakes.hpp"

struct order {
    static constexpr std::string_view entrypoint = "order";
    std::string customer{};
    int amount = 0;
};
BOOST_HANA_ADAPT_STRUCT(order, customer, amount, customer);

using broken = pgq::queue<order, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
