// expect: pgq: a batch handler cannot run inside retrying, timeout, strand_by or process\. Remove this

#include "fakes.hpp"

#include <pgq/executor/strand_by.hpp>

using fine =
    pgq::queue<pgq::job<fakes::mail, pgq::executor::strand_by<&fakes::mail::to>>, fakes::driver, fakes::serializer>;

void start() {
    fakes::handle<fine>([](std::span<const fakes::mail>) {});
}
