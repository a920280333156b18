#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/testing/laws/serializer.hpp>

#include "support/catch.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laws_serializer_encrypted {

namespace encrypted_laws {

struct login {
    static constexpr std::string_view entrypoint = "login";
    std::string user = "nobody";
    pgq::sensitive<std::string> password{};
    std::optional<pgq::sensitive<int>> pin{};
    std::map<std::string, pgq::sensitive<std::vector<double>>> more{};
    friend bool operator==(const login&, const login&) = default;
};
struct token {
    static constexpr std::string_view entrypoint = "token";
    pgq::sensitive<std::string> content{};
    friend bool operator==(const token&, const token&) = default;
};

pgq::serializer::key_ring ring;

}  // namespace encrypted_laws

}  // namespace laws_serializer_encrypted

BOOST_HANA_ADAPT_STRUCT(laws_serializer_encrypted::encrypted_laws::login, user, password, pin, more);
BOOST_HANA_ADAPT_STRUCT(laws_serializer_encrypted::encrypted_laws::token, content);

namespace laws_serializer_encrypted {

using namespace pgq;
using laws::cut_bodies;

namespace {

using keys = serializer::keys_of<encrypted_laws::ring>;

struct key_given {
    key_given() { encrypted_laws::ring.use(serializer::secret_key::random("laws")); }
};

const std::vector<encrypted_laws::login> logins{
    {}, {.user = "ada", .password = "engine", .pin = 1815, .more = {{"x", std::vector{0.5, -1.0}}}}};

}  // namespace

TEST_CASE("serializer::encrypted keeps the serializer laws over JSON", "[serializer][laws]") {
    const key_given key;
    laws::check_serializer(serializer::encrypted<serializer::json, keys>{}, logins);
}
TEST_CASE("serializer::encrypted keeps the serializer laws over raw bytes", "[serializer][laws]") {
    const key_given key;
    laws::check_serializer(serializer::encrypted<serializer::raw, keys>{},
                           std::vector<encrypted_laws::token>{{}, {"short"}, {std::string(3000, '\xff')}});
}
TEST_CASE("serializer::encrypted keeps the serializer laws over serializer::encrypted", "[serializer][laws]") {
    const key_given key;
    using once = serializer::encrypted<serializer::json, keys>;
    laws::check_serializer(serializer::encrypted<once, keys>{}, logins);
}

}  // namespace laws_serializer_encrypted
