// expect: pgq: an observer has an overload of on\(\) that is never called\. Make it public
// within: 10 lines

#include "fakes.hpp"

struct watcher {
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::job_finished&) {}
    void on(const fakes::mail&) {}
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, watcher>;
static_assert(sizeof(broken) != 0);
