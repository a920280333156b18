// expect: pgq: this queue does not have the job type\. Add pgq::job<T>
// within: 10 lines

#include "fakes.hpp"

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    (void)sizeof(fakes::mail_queue::handle_of<fakes::stranger>);
}
