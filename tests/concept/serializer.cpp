#include <pgq/concept/serializer.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>

#include "compile_fail/fakes.hpp"

#include <string>
#include <string_view>

namespace concept_serializer {

namespace {

using namespace pgq;

static_assert(serializer_policy<serializer::json> && serializer_policy<serializer::raw>);
static_assert(serializer_for<serializer::json, fakes::mail> && serializer_for<serializer::json, fakes::picture>);
static_assert(serializer_for<serializer::raw, fakes::mail>);
static_assert(serializer::json::by_members && serializer::json::supports_job<fakes::mail>);
static_assert(!serializer::raw::by_members && !serializer::raw::supports_job<fakes::picture>);
static_assert(serializer::json::supports_member<std::string> && !serializer::json::supports_member<void*>);

struct of_mails_only {
    using policy_category = serializer_tag;
    result<void> write(const fakes::mail&, std::string&) const { return {}; }
    result<void> read(std::string_view, fakes::mail&) const { return {}; }
};
static_assert(serializer_for<of_mails_only, fakes::mail> && !serializer_for<of_mails_only, fakes::picture>);

struct that_only_writes {
    using policy_category = serializer_tag;
    result<void> write(const auto&, std::string&) const { return {}; }
};
static_assert(can_write<that_only_writes, fakes::mail> && !can_read<that_only_writes, fakes::mail>);
static_assert(serializer_policy<that_only_writes> && !serializer_for<that_only_writes, fakes::mail>);

struct that_has_state : of_mails_only {
    result<void> write(const fakes::mail&, std::string&) { return {}; }
};
static_assert(!can_write<that_has_state, fakes::mail>);

struct that_throws_only : of_mails_only {
    void read(std::string_view, fakes::mail&) const {}
};
static_assert(!can_read<that_throws_only, fakes::mail>);

struct of_another_category : of_mails_only {
    using policy_category = backoff_tag;
};
static_assert(!serializer_policy<of_another_category> && !serializer_for<of_another_category, fakes::mail>);

}  // namespace

}  // namespace concept_serializer
