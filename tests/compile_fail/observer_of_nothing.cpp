// expect: pgq: an observer handles no event\. Give it

#include "fakes.hpp"

struct of_jobs {
    using policy_category = pgq::observer_tag;
    void on(const fakes::mail&) {}
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, of_jobs>;
static_assert(sizeof(broken) != 0);
