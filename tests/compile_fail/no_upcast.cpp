// expect: pgq: a former payload cannot be converted to the next version\. Write `static

#include "fakes.hpp"

#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>

struct photo_1 {
    int edge = 0;
};
struct photo {
    static constexpr std::string_view entrypoint = "photo";
    using previous = photo_1;
    int edge = 0, depth = 0;
};
BOOST_HANA_ADAPT_STRUCT(photo_1, edge);
BOOST_HANA_ADAPT_STRUCT(photo, edge, depth);

using broken = pgq::queue<photo, fakes::driver, pgq::serializer::versioned<pgq::serializer::json>>;
static_assert(sizeof(broken) != 0);
