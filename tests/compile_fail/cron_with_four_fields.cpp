// expect: pgq: a cron expression does not have 5 or 6 fields\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"* * * *">;
