// expect: pgq: jobs cannot be taken by hand with this driver\. Give its session

#include "fakes.hpp"

void used(fakes::mail_queue& jobs) { (void)jobs.get<fakes::mail>(); }
