// expect: pgq: an observer takes an event by non-const reference, so it is never called\. Let it take
// within: 10 lines

#include "fakes.hpp"

#include <pgq/observer/all_of.hpp>

struct watcher : fakes::observer {
    using fakes::observer::on;
    void on(pgq::event::lease_lost&) {}
};

using broken =
    pgq::queue<fakes::mail, fakes::driver, fakes::serializer, pgq::observer::all_of<fakes::observer, watcher>>;
static_assert(sizeof(broken) != 0);
