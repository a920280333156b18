// expect: pgq: a handler cannot be called with any job of this queue\. Let it take
// within: 10 lines

#include "fakes.hpp"

#include <functional>

struct post {
    void send(const fakes::stranger&) {}
};

void used(post& office) { fakes::handle<fakes::mail_queue>(std::bind_front(&post::send, &office)); }
