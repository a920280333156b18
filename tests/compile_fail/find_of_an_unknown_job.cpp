// expect: pgq: this queue does not have the job type\. Add pgq::job<T>
// within: 10 lines

#include "fakes.hpp"

#include <chrono>

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    (void)jobs.find<fakes::stranger>(pgq::job_id{7}).wait(std::chrono::seconds{1});
}
