// At-most-once jobs with all policies that they allow.

#include "../compile_fail/fakes.hpp"

#include <pgq/delivery/at_least_once.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>

#include <chrono>

using namespace std::chrono_literals;
using pgq::delivery::at_least_once, pgq::delivery::at_most_once;

using mixed =
    pgq::queue<pgq::job<fakes::mail, at_least_once, fakes::backoff>,
               pgq::job<fakes::picture, pgq::executor::timeout<30s>, pgq::limiter::concurrency<2>>, at_most_once,
               pgq::limiter::global_rate<50>, fakes::backoff, pgq::driver::memory, fakes::serializer>;
using in_strands = pgq::queue<pgq::job<fakes::mail, at_most_once, pgq::executor::strand_by<&fakes::mail::to>>,
                              pgq::driver::memory, fakes::serializer>;

void start() {
    fakes::handle<mixed>([](std::span<const fakes::mail>) {}, [](const fakes::picture&, pgq::context&) { return 7; });
    fakes::handle<in_strands>([](fakes::mail) {});
}
