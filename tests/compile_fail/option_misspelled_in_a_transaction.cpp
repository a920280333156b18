// expect: pgq: enqueue has no option of this name, or none that takes this value\. Its options are priority, run_at, expected_at, headers, unique_key
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/memory.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::memory, fakes::serializer>;

void handle(const fakes::mail& m, pgq::transaction<fine>& tx) { (void)tx.enqueue(m, {.prio = 1}); }
