// expect: pgq: a job type of this queue has no handler\. Give the
// precompiled: nothing

#include <pgq/cli.hpp>
#include <pgq/driver/libpq.hpp>

#include "fakes.hpp"

using mails = pgq::queue<fakes::mail, pgq::driver::libpq, fakes::serializer>;

int main(int argc, char** argv) { return pgq::main(argc, argv, pgq::app<mails>{.name = "mailer"}); }
