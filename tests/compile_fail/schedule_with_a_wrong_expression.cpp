// expect: pgq: a number in a cron expression is out of range\. Seconds
// within: 20 lines

#include "fakes.hpp"

void schedule(fakes::mail_queue& jobs) {
    pgq::scheduler schedules{jobs};
    (void)schedules.every<"0 24 * * *">(fakes::mail{});
}
