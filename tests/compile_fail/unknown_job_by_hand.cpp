// expect: pgq: this queue does not have the job type\. Add pgq::job<T>

#include "fakes.hpp"

void used(fakes::mail_queue& jobs) { (void)jobs.get<fakes::stranger>(); }
