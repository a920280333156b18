// expect: pgq: enqueue has no option of this name, or none that takes this value\. Its options are priority, run_at, expected_at, headers, unique_key
// within: 10 lines

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail, {.prio = 1}); }
