// expect: pgq: an observer observes no event\. Give it a public `void on

#include "fakes.hpp"

struct that_would_change_events {
    using policy_category = pgq::observer_tag;
    void on(pgq::event::job_finished&) {}
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, that_would_change_events>;
static_assert(sizeof(broken) != 0);
