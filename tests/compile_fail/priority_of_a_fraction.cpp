// expect: pgq: a priority is not an integer\. Give it a whole number
// within: 10 lines

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail, {.priority = 1.5}); }
