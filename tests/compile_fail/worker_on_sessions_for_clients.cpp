// expect: pgq: the sessions of this driver are for clients only: no worker runs on them, and nothing waits

#include "fakes.hpp"

#include <pgq/worker.hpp>

struct client_only : fakes::session {
    void sync() {}
};

using fine = pgq::queue<pgq::job<fakes::mail>, test::fake_driver<client_only>, fakes::serializer>;

void work(fine& jobs) {
    (void)jobs.enqueue(fakes::mail{});
    pgq::worker w{jobs, [](const fakes::mail&) {}};
    (void)w.run();
}
