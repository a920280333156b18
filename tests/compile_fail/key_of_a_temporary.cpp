// expect: (destroyed at the end of the full-expression|temporary)
// within: 10 lines
// flags: -Werror=dangling
// only: clang

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    const pgq::enqueue_options options{.unique_key = "mail:" + mail.to};
    (void)jobs.enqueue(mail, options);
}
