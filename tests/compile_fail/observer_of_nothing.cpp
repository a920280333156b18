// expect: pgq: an observer handles no event\. Give it

#include "fakes.hpp"

struct that_would_change_events {
    using policy_category = pgq::observer_tag;
    void on(pgq::event::job_finished&) {}
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, that_would_change_events>;
static_assert(sizeof(broken) != 0);
