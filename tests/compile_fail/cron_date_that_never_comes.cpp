// expect: pgq: a cron expression has a date that never comes\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"0 0 31 2 *">;
