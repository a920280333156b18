// expect: pgq: a number is not a time\. Write pgq::in\(5s\)
// within: 10 lines

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail, {.run_at = 5}); }
