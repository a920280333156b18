// expect: pgq: a job type has no default constructor\. Add one

#include "fakes.hpp"

#include <pgq/schedule/cron.hpp>

struct demanding {
    static constexpr std::string_view entrypoint = "demanding";
    explicit demanding(int start) : x{start} {}
    int x;
};
BOOST_HANA_ADAPT_STRUCT(demanding, x);

using broken = pgq::queue<pgq::job<demanding, pgq::schedule::cron<"@daily">>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
