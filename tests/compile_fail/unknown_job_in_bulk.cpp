// expect: pgq: this queue does not know the job type\. Add pgq::job<T>

#include "fakes.hpp"

#include <vector>

void used(fakes::mail_queue& jobs, const std::vector<fakes::stranger>& many) { (void)jobs.enqueue(many); }
