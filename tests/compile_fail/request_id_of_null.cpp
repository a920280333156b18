// expect: pgq: a request id is not a text\. Give it a std::string
// within: 10 lines

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail, {.request_id = nullptr}); }
