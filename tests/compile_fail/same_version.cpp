// expect: pgq: two payload types in the history of a job type have the same version\. Remove one

#include "fakes.hpp"

#include <pgq/serializer/json.hpp>
#include <pgq/serializer/versioned.hpp>

struct photo_1 {
    int edge = 0;
};
struct photo {
    static constexpr std::string_view entrypoint = "photo";
    using previous = photo_1;
    static photo from(photo_1&& old) {
        photo p;
        p.edge = old.edge;
        return p;
    }
    int edge = 0;
};
BOOST_HANA_ADAPT_STRUCT(photo_1, edge);
BOOST_HANA_ADAPT_STRUCT(photo, edge);

using broken = pgq::queue<photo, fakes::driver, pgq::serializer::versioned<pgq::serializer::json>>;
static_assert(sizeof(broken) != 0);
