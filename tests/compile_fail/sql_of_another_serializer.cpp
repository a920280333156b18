// expect: pgq: emit_sql supports only serializer::json, and a job type has another serializer\. Name the
#include <pgq/sql_surface.hpp>

#include "fakes.hpp"

using jobs = pgq::queue<fakes::mail, pgq::job<fakes::picture, pgq::serializer::json>, fakes::driver, fakes::serializer>;

const auto script = pgq::emit_sql<jobs>();
