// expect: pgq: an argument of exec is not text, a number, a bool or a std::optional of these\. Convert it
// within: 10 lines

#include "fakes.hpp"

#include <pgq/driver/libpq.hpp>
#include <pgq/transaction/transaction.hpp>

using fine = pgq::queue<fakes::mail, pgq::driver::libpq, fakes::serializer>;

void handle(const fakes::mail& m, pgq::transaction<fine>& tx) { (void)tx.exec("INSERT INTO sent VALUES ($1)", m); }
