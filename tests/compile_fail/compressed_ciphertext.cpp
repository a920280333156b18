// expect: pgq: compressed<> is around encrypted<>, but encrypted bytes cannot be compressed\. Write

#include "fakes.hpp"

#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>

pgq::serializer::key_ring ring;

using sealed = pgq::serializer::encrypted<pgq::serializer::json, pgq::serializer::keys_of<ring>>;
using broken = pgq::queue<pgq::job<fakes::mail>, fakes::driver, pgq::serializer::compressed<sealed>>;
static_assert(sizeof(broken) != 0);
