// expect: pgq: an observer is an incomplete tracer\. Give it public start_send and start_process

#include "fakes.hpp"

struct span {
    const pgq::trace::context* context() const { return nullptr; }
    int activate() { return 0; }
    template <class End>
    void end(const End&) {}
};
class tracer : public fakes::observer {
    span start_send(const pgq::trace::send_begin&) { return {}; }
    span start_process(const pgq::trace::process_begin&) { return {}; }
};

using broken = pgq::queue<fakes::mail, fakes::driver, fakes::serializer, tracer>;
static_assert(sizeof(broken) != 0);
