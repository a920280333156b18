// expect: pgq: a name in a cron expression is not known\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"0 0 * * FOO">;
