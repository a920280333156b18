// expect: pgq: the entrypoint of a job type is too long\. Use at most

#include "fakes.hpp"

inline constexpr char letters[pgq::max_name_bytes + 1] = {};

struct long_winded {
    static constexpr std::string_view entrypoint{letters, sizeof letters};
};

using broken = pgq::queue<long_winded, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
