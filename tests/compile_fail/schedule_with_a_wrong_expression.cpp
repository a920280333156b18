// expect: pgq: a number in a cron expression is out of range\. Seconds
// within: 20 lines

#include "client_fakes.hpp"

#include <pgq/scheduler.hpp>

void schedule(client_fakes::mail_client& jobs) {
    pgq::scheduler schedules{jobs};
    (void)schedules.every<"0 24 * * *">(client_fakes::mail{});
}
