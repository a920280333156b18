// expect: pgq: this queue does not have the job type\. Add pgq::job<T>
#include <pgq/sql_functions.hpp>

#include "fakes.hpp"

using jobs = pgq::queue<fakes::mail, fakes::driver, pgq::serializer::json>;

const auto script = pgq::sql_functions<jobs, fakes::stranger>();
