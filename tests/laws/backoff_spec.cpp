#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/spec.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/testing/laws/backoff.hpp>

#include "support/catch.hpp"

namespace laws_backoff_spec {

using namespace pgq;
using backoff::spec;

TEST_CASE("backoff::spec keeps the back-off laws", "[backoff][laws]") {
    const auto make = GENERATE(spec{}, spec{backoff::fixed{.every = duration::max()}},
                               spec{backoff::linear{.step = duration::max(), .cap = duration::max()}},
                               spec{backoff::exponential{.factor = 1e300, .cap = duration::max()}},
                               spec{backoff::fixed{.every = duration::max()}}.jittered_by(1).jittered_by(5));
    laws::check_backoff<spec>([make] { return make; });
}

TEST_CASE("a spec that was read keeps the back-off laws", "[backoff][laws]") {
    laws::check_backoff<spec>(
        [] { return spec::parse("jittered 1e300 jittered -7 exponential 2562047h inf 2562047h").value(); });
}

TEST_CASE("backoff::stored keeps the back-off laws", "[backoff][laws]") {
    laws::check_backoff<backoff::stored<>>([] { return backoff::stored<>{}; });
    laws::check_backoff<backoff::stored<backoff::linear>>([] { return backoff::stored<backoff::linear>{}; });
}

}  // namespace laws_backoff_spec
