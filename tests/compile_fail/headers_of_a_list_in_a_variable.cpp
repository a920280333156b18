// expect: temporary .*destroyed at the end of the full-expression|array backing initializer list .*destroyed
// within: 10 lines
// flags: -Werror=dangling -Werror=dangling-initializer-list
// only: clang

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    const pgq::enqueue_options options{.headers = {{"a", "1"}}};
    (void)jobs.enqueue(mail, options);
}
