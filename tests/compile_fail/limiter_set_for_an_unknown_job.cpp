// expect: pgq: this queue does not have the job type\. Add pgq::job<T>
// within: 10 lines

#include "fakes.hpp"

#include <pgq/limiter/concurrency.hpp>

void used(fakes::mail_queue& jobs, const fakes::mail& mail) {
    jobs.limiter<fakes::stranger>() = pgq::limiter::concurrency<>{4};
}
