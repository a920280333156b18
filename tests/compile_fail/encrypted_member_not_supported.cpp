// expect: pgq: the serializer cannot write and read a member of a job type\. Change

#include "fakes.hpp"

#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>

pgq::serializer::key_ring ring;

struct with_pointer {
    static constexpr std::string_view entrypoint = "with_pointer";
    const char* text = nullptr;
};
BOOST_HANA_ADAPT_STRUCT(with_pointer, text);

using broken = pgq::queue<pgq::job<with_pointer>, fakes::driver,
                          pgq::serializer::encrypted<pgq::serializer::json, pgq::serializer::keys_of<ring>>>;
static_assert(sizeof(broken) != 0);
