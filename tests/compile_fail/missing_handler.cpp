// expect: pgq: no handler for a job of this queue\. Give the worker

#include "fakes.hpp"

using both = pgq::queue<pgq::job<fakes::mail>, pgq::job<fakes::picture>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<both>([](const fakes::mail&) {});
}
