// expect: pgq: sql_functions writes functions for payloads of serializer::json, and a job type has another serializer\. Name
#include <pgq/sql_functions.hpp>

#include "fakes.hpp"

using jobs = pgq::queue<fakes::mail, pgq::job<fakes::picture, pgq::serializer::json>, fakes::driver, fakes::serializer>;

const auto script = pgq::sql_functions<jobs>();
