// expect: pgq: enqueue_stream cannot enqueue jobs with unique keys, because COPY does not check keys\. Call

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

#include <vector>

using queue = pgq::queue<pgq::job<fakes::mail, pgq::unique_by<>>, fakes::driver, fakes::serializer>;
void used(queue& jobs, const std::vector<fakes::mail>& many) { (void)jobs.enqueue_stream(many); }
