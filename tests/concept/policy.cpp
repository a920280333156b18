#include <pgq/concept/policy.hpp>

namespace concept_policy {

namespace {

struct mine {
    using policy_category = pgq::backoff_tag;
};
struct heir : mine {};
class secretive {
    using policy_category = pgq::backoff_tag;
};
struct valued {
    int policy_category;
};

static_assert(pgq::has_policy_category<mine>);
static_assert(pgq::has_policy_category<heir>);
static_assert(!pgq::has_policy_category<secretive>);
static_assert(!pgq::has_policy_category<valued>);
static_assert(!pgq::has_policy_category<int>);
static_assert(!pgq::has_policy_category<mine&>);
static_assert(!pgq::has_policy_category<void>);

static_assert(pgq::policy_of<mine, pgq::backoff_tag>);
static_assert(pgq::policy_of<heir, pgq::backoff_tag>);
static_assert(!pgq::policy_of<mine, pgq::driver_tag>);
static_assert(!pgq::policy_of<int, pgq::backoff_tag>);

}  // namespace

}  // namespace concept_policy
