// expect: pgq: the sessions of this driver are for clients only: no worker runs on them, and nothing waits

#include "fakes.hpp"

struct client_only : fakes::session {
    void watch() {}
};

using fine = pgq::queue<pgq::job<fakes::mail>, test::fake_driver<client_only>, fakes::serializer>;

void wait(fine& jobs) {
    const auto sent = jobs.enqueue(fakes::mail{});
    (void)sent->wait({});
}
