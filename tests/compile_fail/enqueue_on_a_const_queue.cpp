// expect: pgq: a queue is const, but this call changes it\. Remove const
// within: 10 lines

#include "fakes.hpp"

void used(const fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail); }
