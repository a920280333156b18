// expect: pgq: a cron expression has a character that is not expected there\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"1.5 * * * *">;
