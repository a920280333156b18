// expect: pgq: exec requires a driver that runs SQL\. Use driver::libpq,

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void handle(const fakes::mail& m, pgq::transaction<fine>& tx) { (void)tx.exec("INSERT INTO sent VALUES ($1)", m.to); }
