#include <pgq/compose/checked.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/executor/thread_pool.hpp>

#include "compile_fail/fakes.hpp"
#include "support/catch.hpp"

#include <chrono>
#include <optional>
#include <type_traits>

namespace unit_compose_settings {

namespace {

using namespace std::chrono_literals;
using fakes::mail;
using fakes::picture;

template <class... Args>
using composed = typename pgq::checked<Args..., picture, fakes::driver, fakes::serializer>::composition_type;
template <class Composition, class Job = mail>
using settings = pgq::detail::settings_for<Composition, Job>;

// Two orders are one type, and a queue without settings has the type that it would have without this feature.
static_assert(std::is_same_v<composed<pgq::job<mail, pgq::attempts<3>, pgq::timeout<1s>>, pgq::delay<1s>>,
                             composed<pgq::delay<1s>, pgq::job<mail, pgq::timeout<1s>, pgq::attempts<3>>>>);
static_assert(std::is_same_v<composed<mail>::queue_settings, pgq::detail::type_list<>>);
static_assert(std::is_same_v<composed<mail, pgq::priority<1>, pgq::attempts<2>>::queue_settings,
                             pgq::detail::type_list<pgq::attempts<2>, pgq::priority<1>>>);
static_assert(std::is_empty_v<pgq::attempts<3>> && std::is_empty_v<pgq::timeout<1s>>);

// The same queue with another setting of the whole queue.
static_assert(std::is_same_v<pgq::rebind_policy_t<composed<mail, pgq::attempts<2>>, pgq::attempts<7>>,
                             composed<mail, pgq::attempts<7>>>);

}  // namespace

TEST_CASE("a setting of an entrypoint goes before that of the queue", "[compose][settings]") {
    using both = composed<pgq::job<mail, pgq::attempts<3>, pgq::timeout<2s, 1s>>, pgq::attempts<7>, pgq::timeout<9s>>;
    CHECK(settings<both>::max_attempts == 3);
    CHECK(settings<both>::time_limit == 2s);
    CHECK(settings<both>::time_limit_grace == 1s);
    CHECK(settings<both, picture>::max_attempts == 7);
    CHECK(settings<both, picture>::time_limit == 9s);
    CHECK(settings<both, picture>::time_limit_grace == 5s);
}

TEST_CASE("a job type without settings has none", "[compose][settings]") {
    CHECK(settings<composed<mail>>::max_attempts == 0);
    CHECK(settings<composed<mail>>::time_limit == std::nullopt);
    CHECK(settings<composed<mail>>::priority == 0);
    CHECK_FALSE(settings<composed<mail>>::tracks);
    using own = composed<pgq::job<mail, pgq::keep_outcome<1h>, pgq::priority<-4>>>;
    CHECK(settings<own>::tracks);
    CHECK(settings<own>::priority == -4);
    CHECK_FALSE(settings<own, picture>::tracks);
}

}  // namespace unit_compose_settings
