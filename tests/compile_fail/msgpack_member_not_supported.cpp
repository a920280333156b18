// expect: pgq: the serializer cannot write and read a member of a job type\. Change

#include "fakes.hpp"

#include <pgq/serializer/msgpack.hpp>

#include <vector>

// The job with its own conversion is accepted with any members.
struct own {
    static constexpr std::string_view entrypoint = "own";
    const char* text = "";
};
void to_json(nlohmann::json&, const own&);
void from_json(const nlohmann::json&, own&);

struct with_pointers {
    static constexpr std::string_view entrypoint = "with_pointers";
    std::vector<const char*> texts{};
};
BOOST_HANA_ADAPT_STRUCT(with_pointers, texts);

using broken = pgq::queue<pgq::job<own>, pgq::job<with_pointers>, fakes::driver, pgq::serializer::msgpack>;
static_assert(sizeof(broken) != 0);
