// expect: pgq: an observer is an incomplete tracer\. Give it public start_send and start_process

#include "fakes.hpp"

struct sent {
    const pgq::trace::context* context() const { return nullptr; }
    void end(const pgq::trace::send_end&) {}
};
struct tracer : fakes::observer {
    sent start_send(const pgq::trace::send_begin&) { return {}; }
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, tracer>;
static_assert(sizeof(broken) != 0);
