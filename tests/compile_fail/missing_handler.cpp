// expect: pgq: a job type of this queue has no handler\. Give the

#include "fakes.hpp"

using both = pgq::queue<pgq::job<fakes::mail>, pgq::job<fakes::picture>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<both>([](const fakes::mail&) {});
}
