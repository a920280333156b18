// expect: pgq: this queue does not have the job type\. Add pgq::job<T>

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void handle(const fakes::mail&, pgq::transaction<fine>& tx) { (void)tx.enqueue(fakes::stranger{}); }
