// expect: pgq: enqueue got several jobs\. Write them as a list
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void handle(const fakes::mail& m, pgq::transaction<fine>& tx) { (void)tx.enqueue(m, m); }
