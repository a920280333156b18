// expect: pgq: a number in a cron expression is out of range\. Seconds
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"0 24 * * *">;
