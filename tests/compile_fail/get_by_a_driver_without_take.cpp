// expect: pgq: this driver cannot take jobs without a worker\. Give its session

#include "fakes.hpp"

void used(fakes::mail_queue& jobs) { (void)jobs.get<fakes::mail>(); }
