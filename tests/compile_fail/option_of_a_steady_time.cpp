// expect: pgq: a time is not of the system clock\. Give a std::chrono::sys_time
// within: 10 lines

#include "fakes.hpp"

#include <chrono>

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    (void)jobs.enqueue(mail, {.run_at = std::chrono::steady_clock::now()});
}
