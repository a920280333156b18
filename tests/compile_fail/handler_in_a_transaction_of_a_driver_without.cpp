// expect: pgq: a handler takes a transaction, but the driver of the queue has none\. Use driver::libpq

#include "fakes.hpp"

#include <pgq/transaction/transaction.hpp>

void start() {
    fakes::handle<fakes::mail_queue>([](const fakes::mail&, pgq::transaction<fakes::mail_queue>&) {});
}
