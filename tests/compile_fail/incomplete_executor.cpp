// expect: pgq: an executor does not model pgq::executor_policy\. Give it

#include "fakes.hpp"

struct executor_that_never_stops {
    using policy_category = pgq::executor_tag;
    std::size_t width() const noexcept { return 1; }
    void execute(const pgq::task& t) { t.run(); }
    void start() {}
};

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver, fakes::serializer, executor_that_never_stops>;
static_assert(sizeof(broken) != 0);
