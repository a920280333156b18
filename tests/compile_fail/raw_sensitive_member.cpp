// expect: pgq: a job type has a sensitive member, but its serializer does not encrypt\. Put the

#include "fakes.hpp"

#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/raw.hpp>

struct token {
    static constexpr std::string_view entrypoint = "token";
    pgq::sensitive<std::string> content{};
};
BOOST_HANA_ADAPT_STRUCT(token, content);

using broken = pgq::queue<pgq::job<token>, fakes::driver, pgq::serializer::raw>;
static_assert(sizeof(broken) != 0);
