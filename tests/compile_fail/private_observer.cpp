// expect: pgq: an observer handles no event\. Give it
// within: 10 lines

#include "fakes.hpp"

class watcher {
public:
    using policy_category = pgq::observer_tag;

private:
    void on(const pgq::event::job_finished&) {}
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, watcher>;
static_assert(sizeof(broken) != 0);
