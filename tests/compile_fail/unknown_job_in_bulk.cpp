// expect: pgq: this queue does not have the job type\. Add pgq::job<T>

#include "fakes.hpp"

#include <vector>

void used(fakes::mail_queue& jobs, const std::vector<fakes::stranger>& many) { (void)jobs.enqueue(many); }
