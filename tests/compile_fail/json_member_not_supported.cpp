// expect: pgq: the serializer cannot write and read a member of a job type\. Change

#include "fakes.hpp"

#include <pgq/serializer/json.hpp>

#include <vector>

struct with_pointers {
    static constexpr std::string_view entrypoint = "with_pointers";
    int x = 0;
    std::vector<const char*> texts{};
};
BOOST_HANA_ADAPT_STRUCT(with_pointers, x, texts);

using broken = pgq::queue<pgq::job<with_pointers>, fakes::driver, pgq::serializer::json>;
static_assert(sizeof(broken) != 0);
