// expect: pgq: a unique key cannot be made of this job\. Name members of the job itself that are text, integers, bools or enumerators

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

struct reading {
    static constexpr std::string_view entrypoint = "reading";
    std::string sensor{};
    double celsius = 0;
};

using broken = pgq::queue<pgq::job<reading, pgq::unique_by<&reading::sensor, &reading::celsius>::while_waiting>,
                          fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
