// expect: pgq: enqueue_stream needs a driver whose sessions have COPY, such as driver::libpq\. With this driver, call
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

#include <vector>

using queue = pgq::queue<pgq::job<fakes::mail>, pgq::driver::memory, fakes::serializer>;
void used(queue& jobs, const std::vector<fakes::mail>& many) { (void)jobs.enqueue_stream(many); }
