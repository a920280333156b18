// expect: pgq: unique_by cannot make a key from this job\. Name members

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
