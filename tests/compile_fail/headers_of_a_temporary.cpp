// expect: temporary .*destroyed at the end of the full-expression
// within: 10 lines
// flags: -Werror=dangling -Werror=dangling-initializer-list
// only: clang

#include "fakes.hpp"

#include <vector>

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    const pgq::enqueue_options options{.headers = std::vector<pgq::header>{{"a", "1"}}};
    (void)jobs.enqueue(mail, options);
}
