// expect: pgq: an observer handles no event\. Give it
// within: 10 lines

#include "fakes.hpp"

#include <pgq/observer/all_of.hpp>

struct watcher {
    using policy_category = pgq::observer_tag;
    void on(const fakes::mail&) {}
};

using broken =
    pgq::queue<fakes::mail, fakes::driver, fakes::serializer, pgq::observer::all_of<fakes::observer, watcher>>;
static_assert(sizeof(broken) != 0);
