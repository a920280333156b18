// expect: pgq: jobs with unique keys are not for enqueue_stream: COPY cannot look for keys\. Call enqueue\(\)

#include "fakes.hpp"

#include <pgq/unique_by.hpp>

#include <vector>

using queue = pgq::queue<pgq::job<fakes::mail, pgq::unique_by<>>, fakes::driver, fakes::serializer>;
void used(queue& jobs, const std::vector<fakes::mail>& many) { (void)jobs.enqueue_stream(many); }
