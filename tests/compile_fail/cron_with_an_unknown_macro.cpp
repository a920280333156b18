// expect: pgq: a macro of a cron expression is not known\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"@often">;
