// expect: pgq: a serializer is wrapped around something that is no serializer\. Write the serializer first

#include "fakes.hpp"

#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>

pgq::serializer::key_ring ring;

using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver,
                          pgq::serializer::encrypted<pgq::serializer::keys_of<ring>, pgq::serializer::json>>;
static_assert(sizeof(broken) != 0);
