// What a program that only enqueues can do, with <pgq/client.hpp> alone.

#include "../compile_fail/client_fakes.hpp"

#include <chrono>
#include <vector>

using namespace std::chrono_literals;

void used(client_fakes::mail_client& jobs) {
    const auto handle = jobs.enqueue(client_fakes::mail{}, {.priority = 1}).value();
    (void)jobs.enqueue(std::vector<client_fakes::mail>(3)).value();
    (void)jobs.chain(client_fakes::mail{}).then(client_fakes::mail{}).enqueue().value();
    (void)handle.wait(1s).value();
    (void)jobs.cancel(handle).value();
    (void)jobs.counts<client_fakes::mail>().value();
    (void)jobs.requeue_all<client_fakes::mail>().value();
}
