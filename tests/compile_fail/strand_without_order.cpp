// expect: pgq: strand_by names a member that cannot be hashed or ordered\. Give its

#include "fakes.hpp"

#include <pgq/executor/strand_by.hpp>

struct opaque {};
struct parcel {
    static constexpr std::string_view entrypoint = "parcel";
    opaque inside{};
};

using broken =
    pgq::queue<pgq::job<parcel, pgq::executor::strand_by<&parcel::inside>>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
