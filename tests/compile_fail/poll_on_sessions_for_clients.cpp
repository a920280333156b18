// expect: pgq: the sessions of this driver are for clients only: no worker runs on them, and nothing waits

#include "fakes.hpp"

struct client_only : fakes::session {
    void sync() {}
    pgq::result<void> take(const pgq::take_request&, pgq::take_reply&) { return {}; }
    pgq::result<void> hold_taken(const pgq::taken_record&, std::string_view) { return {}; }
};

using fine = pgq::queue<pgq::job<fakes::mail>, test::fake_driver<client_only>, fakes::serializer>;

void poll(fine& jobs) {
    (void)jobs.poll<fakes::mail>();
    (void)jobs.get<fakes::mail>();
}
