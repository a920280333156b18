#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/recipe.hpp>
#include <pgq/backoff/travelling.hpp>
#include <pgq/testing/laws/backoff.hpp>

#include "support/catch.hpp"

namespace laws_backoff_recipe {

using namespace pgq;
using backoff::recipe;

TEST_CASE("backoff::recipe keeps the back-off laws", "[backoff][laws]") {
    const auto make = GENERATE(recipe{}, recipe{backoff::fixed{.every = duration::max()}},
                               recipe{backoff::linear{.step = duration::max(), .cap = duration::max()}},
                               recipe{backoff::exponential{.factor = 1e300, .cap = duration::max()}},
                               recipe{backoff::fixed{.every = duration::max()}}.jittered_by(1).jittered_by(5));
    laws::check_backoff<recipe>([make] { return make; });
}

TEST_CASE("a back-off that was read from text keeps the back-off laws", "[backoff][laws]") {
    laws::check_backoff<recipe>(
        [] { return recipe::parse("jittered 1e300 jittered -7 exponential 2562047h inf 2562047h").value(); });
}

TEST_CASE("backoff::travelling keeps the back-off laws", "[backoff][laws]") {
    laws::check_backoff<backoff::travelling<>>([] { return backoff::travelling<>{}; });
    laws::check_backoff<backoff::travelling<backoff::linear>>([] { return backoff::travelling<backoff::linear>{}; });
}

}  // namespace laws_backoff_recipe
