// expect: pgq: this driver cannot run schedules\. Use another driver, or give its session the members of

#include "fakes.hpp"

#include <pgq/scheduler.hpp>

using plain = pgq::queue<pgq::job<fakes::mail>, test::fake_driver<>, fakes::serializer>;

void run(plain& jobs) {
    pgq::scheduler schedules{jobs};
    (void)schedules.run();
}
