// expect: pgq: the serializer cannot write and read a member of a job type\. Change

#include "fakes.hpp"

struct with_pointer {
    static constexpr std::string_view entrypoint = "with_pointer";
    int x = 0;
    const char* text = nullptr;
};
BOOST_HANA_ADAPT_STRUCT(with_pointer, x, text);

using broken = pgq::queue<pgq::job<with_pointer>, fakes::driver, fakes::serializer>;
static_assert(sizeof(broken) != 0);
