// expect: pgq: a job type has a sensitive member, but its serializer does not encrypt\. Put the

#include "fakes.hpp"

#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/json.hpp>

struct login {
    static constexpr std::string_view entrypoint = "login";
    std::string user{};
    pgq::sensitive<std::string> password{};
};
BOOST_HANA_ADAPT_STRUCT(login, user, password);

using broken = pgq::queue<pgq::job<login>, fakes::driver, pgq::serializer::json>;
static_assert(sizeof(broken) != 0);
