// expect: pgq: a queue is const, but this call changes it\. Remove const
// within: 10 lines

#include "fakes.hpp"

#include <vector>

void used(const fakes::mail_queue& jobs, const std::vector<fakes::mail>& mails) { (void)jobs.enqueue(mails); }
