#include <pgq/observer/prometheus.hpp>
#include <pgq/testing/laws/observer.hpp>

#include "support/catch.hpp"

namespace laws_observer_prometheus {

using namespace pgq;

TEST_CASE("observer::prometheus keeps the observer laws", "[observer][prometheus][laws]") {
    laws::check_observer<observer::prometheus>([] { return observer::prometheus{}; });
    laws::check_observer<observer::prometheus>([] { return observer::prometheus{{.max_names = 2}}; });
}

}  // namespace laws_observer_prometheus
