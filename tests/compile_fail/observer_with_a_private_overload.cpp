// expect: pgq: an observer has an overload of on\(\) that is never called\. Make it public
// within: 10 lines

#include "fakes.hpp"

class watcher {
public:
    using policy_category = pgq::observer_tag;
    void on(const pgq::event::job_finished&) {}

private:
    void on(const pgq::event::job_started&) {}
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, watcher>;
static_assert(sizeof(broken) != 0);
