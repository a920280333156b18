// expect: pgq: an observer is an incomplete tracer\. Give it public start_send and start_process

#include "fakes.hpp"

#include <pgq/observer/all_of.hpp>

struct sent {
    const pgq::trace::context* context() const { return nullptr; }
};
struct processed {
    const pgq::trace::context* context() const { return nullptr; }
    int activate() { return 0; }
    void end(const pgq::trace::process_end&) {}
};
struct tracer {
    using policy_category = pgq::observer_tag;
    sent start_send(const pgq::trace::send_begin&) { return {}; }
    processed start_process(const pgq::trace::process_begin&) { return {}; }
};

using broken =
    pgq::queue<fakes::mail, fakes::driver, fakes::serializer, pgq::observer::all_of<fakes::observer, tracer>>;
static_assert(sizeof(broken) != 0);
