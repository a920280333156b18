// expect: pgq: enqueue_stream cannot enqueue jobs with delay, expires_in or keep_outcome
// within: 10 lines

#include "fakes.hpp"

#include <pgq/compose/settings.hpp>

#include <vector>

using namespace std::chrono_literals;

using delayed = pgq::queue<pgq::job<fakes::mail, pgq::delay<1h>>, fakes::driver, fakes::serializer>;

void enqueue(delayed& jobs, const std::vector<fakes::mail>& mails) { (void)jobs.enqueue_stream(mails); }
