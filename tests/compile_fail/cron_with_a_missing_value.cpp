// expect: pgq: a value is missing in a field of a cron expression\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"1,,2 * * * *">;
