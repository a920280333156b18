// expect: pgq: a handler of single jobs takes the context of a batch\. Let it take

#include "fakes.hpp"

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&, pgq::batch_context&) {});
}
