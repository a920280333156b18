#include <pgq/concept/runnable.hpp>

#include <stop_token>

namespace concept_runnable {

struct fine {
    pgq::result<void> run(std::stop_token) { return {}; }
    pgq::worker_health health() const { return {}; }
};
struct silent {
    pgq::result<void> run(const std::stop_token&) { return {}; }
};
struct without_result {
    void run(std::stop_token) {}
};
struct without_stop {
    pgq::result<void> run() { return {}; }
};

static_assert(pgq::runnable<fine> && pgq::reports_health<fine>);
static_assert(pgq::runnable<silent> && !pgq::reports_health<silent>);
static_assert(!pgq::runnable<const fine> && pgq::reports_health<const fine>);
static_assert(!pgq::runnable<without_result> && !pgq::runnable<without_stop> && !pgq::runnable<int>);

}  // namespace concept_runnable
