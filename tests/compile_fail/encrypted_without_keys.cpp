// expect: pgq: the keys of an encrypted<> have no default constructor, no current\(\) or no find\(\)\. Give it a

#include "fakes.hpp"

#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>

struct one_key {
    const pgq::serializer::secret_key* current() const { return nullptr; }
};

using broken =
    pgq::queue<pgq::job<fakes::mail>, fakes::driver, pgq::serializer::encrypted<pgq::serializer::json, one_key>>;
static_assert(sizeof(broken) != 0);
