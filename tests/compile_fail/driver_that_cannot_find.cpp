// expect: pgq: a driver does not model pgq::driver_policy\. Give it connect\(\), install\(\) and a session with the members of pgq::client_session

#include "fakes.hpp"

struct blind_session : fakes::session {
    void find() {}
};

using broken = pgq::queue<pgq::job<fakes::mail>, test::fake_driver<blind_session>, fakes::serializer>;

void look(broken& jobs) { (void)jobs.find_all<fakes::mail>(); }
