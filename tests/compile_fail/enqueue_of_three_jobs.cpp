// expect: pgq: enqueue got several jobs\. Write them as a list
// within: 10 lines

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail, mail, mail); }
