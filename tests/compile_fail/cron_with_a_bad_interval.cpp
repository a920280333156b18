// expect: pgq: the interval of @every is not a duration from 1 second to 36500 days\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"@every 90">;
