// expect: pgq: the observer or executor of a queue has no default constructor\. Give it to the constructor of the queue
// within: 10 lines

#include "fakes.hpp"

struct watcher : fakes::observer {
    explicit watcher(int) {}
};
using fine = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, watcher>;

void used() {
    fine jobs;
    (void)jobs.name();
}
