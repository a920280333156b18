// expect: pgq: a step of a cron expression is zero or has more than
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"*/0 * * * *">;
