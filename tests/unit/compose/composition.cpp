#include <pgq/compose/checked.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/rate.hpp>

#include "compile_fail/fakes.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace unit_compose_composition {

namespace {

using namespace fakes;

template <class... Args>
using composed = typename pgq::checked<Args...>::composition_type;

using both = composed<pgq::job<mail>, pgq::job<picture, fakes::backoff>, fakes::driver, fakes::serializer>;

struct other_serializer : fakes::serializer {};
struct other_backoff : fakes::backoff {};

// The order of policies and jobs does not change the type, also inside a declaration.
static_assert(
    std::is_same_v<both, composed<fakes::serializer, pgq::job<picture, fakes::backoff>, fakes::driver, mail>>);
static_assert(std::is_same_v<composed<pgq::job<mail, other_serializer, other_backoff>, fakes::driver>,
                             composed<fakes::driver, pgq::job<mail, other_backoff, other_serializer>>>);
// A policy that is named has the same effect as the same policy by default.
static_assert(std::is_same_v<both, composed<mail, pgq::job<picture, fakes::backoff>, fakes::driver, fakes::serializer,
                                            pgq::default_executor, pgq::default_backoff, pgq::default_observer>>);
// A composition is its own canonical form.
static_assert(std::is_same_v<pgq::detail::canonical<both>::type, both>);
// Other policies give another type.
static_assert(!std::is_same_v<both, composed<mail, picture, fakes::driver, fakes::serializer>>);

// An entrypoint's policy overrides the queue's, and the queue's overrides the default.
static_assert(std::is_same_v<both::backoff_of<picture>, fakes::backoff>);
static_assert(std::is_same_v<both::backoff_of<mail>, pgq::default_backoff>);
static_assert(std::is_same_v<both::serializer_of<picture>, fakes::serializer>);
using with_backoff = composed<mail, pgq::job<picture, fakes::backoff>, fakes::driver, fakes::serializer, other_backoff>;
static_assert(std::is_same_v<with_backoff::backoff_of<mail>, other_backoff>);
static_assert(std::is_same_v<with_backoff::backoff_of<picture>, fakes::backoff>);

static_assert(std::is_same_v<both::driver, fakes::driver>);
static_assert(std::is_same_v<both::executor, pgq::executor::thread_pool>);
static_assert(std::is_same_v<both::observer, pgq::observer::none>);
static_assert(std::is_same_v<both::limiter, pgq::limiter::none>);
static_assert(std::is_same_v<both::limiter_of<mail>, pgq::limiter::none>);
using limited = composed<pgq::job<mail, pgq::limiter::rate<50>>, picture, fakes::driver, fakes::serializer,
                         pgq::limiter::concurrency<4>>;
static_assert(std::is_same_v<limited::limiter, pgq::limiter::concurrency<4>>);
static_assert(std::is_same_v<limited::limiter_of<mail>, pgq::limiter::rate<50>>);
static_assert(std::is_same_v<limited::limiter_of<picture>, pgq::limiter::none>);  // the queue's limiter applies, too

// A unique key belongs to its entrypoint, in any position of the declaration.
struct named_mail {
    using policy_category = pgq::uniqueness_tag;
    static constexpr pgq::unique rule{};
    static void key(const mail&, std::string& out) { out += "one"; }
};
using unique_mail = composed<pgq::job<mail, named_mail, other_backoff>, picture, fakes::driver, fakes::serializer>;
static_assert(
    std::is_same_v<unique_mail,
                   composed<picture, fakes::driver, fakes::serializer, pgq::job<mail, other_backoff, named_mail>>>);
static_assert(std::is_same_v<unique_mail::uniqueness_of<mail>, named_mail>);
static_assert(std::is_void_v<unique_mail::uniqueness_of<picture>>);
static_assert(std::is_same_v<pgq::detail::canonical<unique_mail>::type, unique_mail>);

// Decorators of an entrypoint belong to it, and go around the queue's executor.
struct doubting : pgq::executor::decorator<> {};
using decorated = composed<mail, pgq::job<picture, doubting, fakes::backoff>, fakes::driver, fakes::serializer>;
static_assert(
    std::is_same_v<decorated,
                   composed<fakes::driver, fakes::serializer, pgq::job<picture, fakes::backoff, doubting>, mail>>);
static_assert(!std::is_same_v<decorated, both>);
static_assert(std::is_same_v<decorated::own_executor_of<picture>, doubting>);
static_assert(std::is_void_v<decorated::own_executor_of<mail>>);
static_assert(std::is_same_v<decorated::executor, both::executor>);
static_assert(std::is_same_v<pgq::detail::canonical<decorated>::type, decorated>);

// A queue needs no serializer if each of its entrypoints has one.
using own_serializers = composed<pgq::job<mail, fakes::serializer>, pgq::job<picture, other_serializer>, fakes::driver>;
static_assert(std::is_same_v<own_serializers::serializer_of<mail>, fakes::serializer>);
static_assert(std::is_same_v<own_serializers::queue_policy<pgq::serializer_tag>, void>);

static_assert(both::contains<mail> && both::contains<picture> && !both::contains<stranger>);
static_assert(both::index_of<mail> == 0 && both::index_of<picture> == 1 && both::index_of<stranger> == 2);
static_assert(std::is_same_v<both::jobs, pgq::detail::type_list<mail, picture>>);
static_assert(both::entrypoints == std::array<std::string_view, 2>{"mail", "picture"});
static_assert(both::valid && !pgq::composition<>::valid);

// rebind replaces the one policy of that category. Other policies and those of entrypoints stay.
using rebound = pgq::rebind_policy_t<with_backoff, other_driver>;
static_assert(
    std::is_same_v<rebound,
                   composed<mail, pgq::job<picture, fakes::backoff>, other_driver, fakes::serializer, other_backoff>>);
using rebound_backoff = pgq::rebind_policy_t<both, other_backoff>;
static_assert(std::is_same_v<rebound_backoff, with_backoff>);
// If there was no policy of that category, rebind adds it.
static_assert(
    std::is_same_v<pgq::rebind_policy_t<own_serializers, fakes::serializer>::queue_policy<pgq::serializer_tag>,
                   fakes::serializer>);
// rebind keeps the template of the queue.
template <class... Args>
struct some_queue;
static_assert(std::is_same_v<pgq::rebind_policy_t<some_queue<mail, fakes::driver>, other_driver>,
                             some_queue<mail, other_driver>>);
static_assert(std::is_same_v<pgq::rebind_policy_t<some_queue<mail, fakes::driver>, fakes::observer>,
                             some_queue<mail, fakes::driver, fakes::observer>>);

// Unused policies and checks need no byte.
static_assert(sizeof(pgq::queue<mail, fakes::driver, fakes::serializer, fakes::executor>) ==
              sizeof(pgq::queue<mail, pgq::job<picture, other_serializer, other_backoff>, fakes::driver,
                                fakes::serializer, fakes::executor, fakes::backoff, fakes::observer>));
static_assert(std::is_empty_v<pgq::checked<mail, fakes::driver, fakes::serializer>>);
static_assert(std::is_empty_v<both>);

template <int I>
struct numbered {
    static constexpr char letters[] = {static_cast<char>('a' + I / 8), static_cast<char>('a' + I % 8)};
    static constexpr std::string_view entrypoint{letters, 2};
};

struct any_serializer {
    using policy_category = pgq::serializer_tag;
    pgq::result<void> write(const auto&, std::string&) const { return {}; }
    pgq::result<void> read(std::string_view, auto&) const { return {}; }
};

template <int... I>
auto backwards(std::integer_sequence<int, I...>)
    -> composed<fakes::driver, any_serializer, numbered<static_cast<int>(sizeof...(I)) - 1 - I>...>;

}  // namespace

TEST_CASE("a composition sorts any number of jobs by entrypoint", "[compose][composition]") {
    using many = decltype(backwards(std::make_integer_sequence<int, 64>{}));
    REQUIRE(many::entrypoints.size() == 64);
    CHECK(std::is_sorted(many::entrypoints.begin(), many::entrypoints.end()));
    CHECK(many::index_of<numbered<0>> == 0);
    CHECK(many::index_of<numbered<63>> == 63);
    CHECK(many::entrypoints[many::index_of<numbered<17>>] == numbered<17>::entrypoint);
}

}  // namespace unit_compose_composition
