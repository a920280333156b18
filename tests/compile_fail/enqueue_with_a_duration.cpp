// expect: pgq: the second argument of enqueue is not its options\. Write them in braces
// within: 10 lines

#include "fakes.hpp"

#include <chrono>

void used(fakes::mail_queue& jobs, const fakes::mail& mail) { (void)jobs.enqueue(mail, std::chrono::minutes{5}); }
