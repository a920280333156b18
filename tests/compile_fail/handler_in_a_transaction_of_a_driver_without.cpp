// expect: pgq: a handler takes a transaction and the queue's driver has none\. Use driver::libpq or driver::memory

#include "fakes.hpp"

#include <pgq/transaction/transaction.hpp>

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&, pgq::transaction<fakes::mail_queue>&) {});
}
