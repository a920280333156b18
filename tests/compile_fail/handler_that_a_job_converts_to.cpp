// expect: pgq: a handler takes a job that this queue does not know\. Add pgq::job<T>

#include "fakes.hpp"

struct parcel {
    static constexpr std::string_view entrypoint = "parcel";
    int weight = 0;
    operator fakes::mail() const { return {}; }
};
BOOST_HANA_ADAPT_STRUCT(parcel, weight);

using parcels = pgq::queue<parcel, fakes::driver, fakes::serializer>;

// Callable with a parcel, yet no handler for it.
void start() {
    fakes::handle<parcels>([](const fakes::mail&) {});
}
