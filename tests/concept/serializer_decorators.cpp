#include <pgq/concept/serializer.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/msgpack.hpp>
#include <pgq/serializer/nlohmann.hpp>
#include <pgq/serializer/raw.hpp>

#include "compile_fail/fakes.hpp"

#include <string_view>

namespace concept_serializer_decorators {

namespace {

struct login {
    static constexpr std::string_view entrypoint = "login";
    pgq::sensitive<std::string> password{};
};
struct without_entrypoint {
    std::string text{};
};

}  // namespace

}  // namespace concept_serializer_decorators

BOOST_HANA_ADAPT_STRUCT(concept_serializer_decorators::login, password);
BOOST_HANA_ADAPT_STRUCT(concept_serializer_decorators::without_entrypoint, text);

namespace concept_serializer_decorators {

namespace {

using namespace pgq;
using serializer::compressed;
using serializer::encrypted;
using serializer::json;
using serializer::msgpack;
using serializer::raw;

serializer::key_ring ring;
using keys = serializer::keys_of<ring>;

// A class of the program that holds keys may return any kind of pointer to a key.
struct one_key {
    static const serializer::secret_key& the() {
        static const auto key = serializer::secret_key::random("only");
        return key;
    }
    const serializer::secret_key* current() const { return &the(); }
    const serializer::secret_key* find(std::string_view id) const { return id == "only" ? &the() : nullptr; }
};
static_assert(serializer::key_source<keys> && serializer::key_source<one_key>);
struct of_another_type {
    const int* current() const;
    const int* find(std::string_view) const;
};
static_assert(!serializer::key_source<of_another_type> && !serializer::key_source<serializer::secret_key>);

static_assert(serializer_policy<encrypted<json, keys>> && serializer_policy<compressed<json>>);
static_assert(serializer_policy<serializer::nlohmann> && serializer_policy<msgpack>);
static_assert(serializer_for<encrypted<json, one_key>, fakes::mail> && serializer_for<compressed<raw>, fakes::mail>);
static_assert(serializer_for<msgpack, fakes::mail> && serializer_for<serializer::nlohmann, fakes::picture>);
// The entrypoint is part of the authenticated data, so a job without one cannot be encrypted.
static_assert(!serializer_for<encrypted<json, keys>, without_entrypoint>);
static_assert(serializer_for<compressed<json>, without_entrypoint>);

// A job with sensitive members requires an encrypting serializer, in every combination of decorators.
static_assert(!encrypting_serializer<json> && !encrypting_serializer<compressed<json>>);
static_assert(encrypting_serializer<encrypted<json, keys>> && encrypting_serializer<encrypted<compressed<raw>, keys>>);
static_assert(!serializer_for<json, login> && !serializer_for<raw, login> && !serializer_for<msgpack, login>);
static_assert(!serializer_for<compressed<json>, login> && !serializer_for<serializer::nlohmann, login>);
static_assert(serializer_for<encrypted<json, keys>, login> && serializer_for<encrypted<raw, keys>, login>);
static_assert(serializer_for<encrypted<compressed<json>, keys>, login> &&
              serializer_for<encrypted<msgpack, keys>, login>);

// A decorator works member by member if its inner serializer does.
static_assert(encrypted<json, keys>::by_members && !encrypted<raw, keys>::by_members);
static_assert(!encrypted<raw, keys>::supports_job<fakes::picture> && compressed<json>::supports_job<fakes::picture>);

static_assert(serializer_error_of<encrypted<json, keys>> == serializer_error::none &&
              serializer_error_of<json> == serializer_error::none);
static_assert(serializer_error_of<encrypted<json, int>> == serializer_error::incomplete_keys);
static_assert(serializer_error_of<encrypted<int, keys>> == serializer_error::inner_is_no_serializer);
static_assert(serializer_error_of<compressed<fakes::backoff>> == serializer_error::inner_is_no_serializer);
static_assert(serializer_error_of<compressed<encrypted<json, keys>>> == serializer_error::compresses_ciphertext);
static_assert(serializer_error_of<compressed<encrypted<json, int>>> == serializer_error::incomplete_keys);

}  // namespace

}  // namespace concept_serializer_decorators
