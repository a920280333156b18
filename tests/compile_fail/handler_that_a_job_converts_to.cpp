// expect: pgq: a handler takes a job type that this queue does not have\. Add pgq::job<T>

#include "fakes.hpp"

struct parcel {
    static constexpr std::string_view entrypoint = "parcel";
    int weight = 0;
    operator fakes::mail() const { return {}; }
};
BOOST_HANA_ADAPT_STRUCT(parcel, weight);

using parcels = pgq::queue<parcel, fakes::driver, fakes::serializer>;

// The handler can be called with a parcel, because a parcel converts to its parameter. It is still not a handler for
// it.
void start() {
    fakes::handle<parcels>([](const fakes::mail&) {});
}
