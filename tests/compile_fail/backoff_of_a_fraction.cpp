// expect: pgq: a backoff does not model pgq::backoff_policy\. Give it

#include "fakes.hpp"

#include <chrono>

struct halves {
    using policy_category = pgq::backoff_tag;
    std::chrono::duration<double> delay(int) const noexcept { return {}; }
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, halves>;
static_assert(sizeof(broken) != 0);
