// expect: pgq: this queue does not know the job type\. Add
#include <pgq/sql_functions.hpp>

#include "fakes.hpp"

using jobs = pgq::queue<fakes::mail, fakes::driver, pgq::serializer::json>;

const auto script = pgq::sql_functions<jobs, fakes::stranger>();
