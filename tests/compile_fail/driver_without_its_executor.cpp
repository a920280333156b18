// expect: pgq: the driver of a queue has no default constructor\. Give it to the constructor of the queue
// within: 10 lines

#include "fakes.hpp"

struct driver : fakes::driver {
    explicit driver(int) {}
};
using fine = pgq::queue<fakes::mail, driver, fakes::serializer>;

void used() {
    fine jobs;
    (void)jobs.name();
}
