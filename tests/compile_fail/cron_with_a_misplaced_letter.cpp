// expect: pgq: L, W, # or \? is not allowed there in a cron expression\. L, LW
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"0 L * * *">;
