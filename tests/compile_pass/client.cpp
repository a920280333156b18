// What a program that only enqueues can do, with <pgq/client.hpp> alone.

#include "../compile_fail/client_fakes.hpp"

#include <chrono>
#include <vector>

using namespace std::chrono_literals;

void used(fakes::mail_client& jobs) {
    const auto handle = jobs.enqueue(fakes::mail{}, {.priority = 1}).value();
    (void)jobs.enqueue(std::vector<fakes::mail>(3)).value();
    (void)jobs.chain(fakes::mail{}).then(fakes::mail{}).enqueue().value();
    (void)handle.wait(1s).value();
    (void)jobs.cancel(handle).value();
    (void)jobs.counts<fakes::mail>().value();
    (void)jobs.requeue_all<fakes::mail>().value();
}
