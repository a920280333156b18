// expect: pgq: a range of a cron expression runs backwards\. Write
// within: 10 lines

#include <pgq/cron.hpp>

constexpr auto broken = pgq::cron::every<"0 22-5 * * *">;
