// expect: pgq: a cron expression asks for a weekday that no month has so often\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"0 0 * * 5#6">;
