#include <pgq/concept/observer.hpp>
#include <pgq/observer/none.hpp>

namespace concept_observer {

namespace {

using namespace pgq;

struct of_finished_jobs {
    using policy_category = observer_tag;
    void on(const event::job_finished&) {}
};
struct of_everything {
    using policy_category = observer_tag;
    void on(const auto&) {}
};
struct that_changes_events {
    using policy_category = observer_tag;
    void on(event::job_finished&) {}
};
class in_private {
public:
    using policy_category = observer_tag;

private:
    void on(const event::job_finished&) {}
};
struct without_category {
    void on(const event::job_finished&) {}
};

static_assert(observer_policy<observer::none>);
static_assert(!observes<observer::none, event::job_finished>);
static_assert(observer_policy<of_finished_jobs>);
static_assert(observes<of_finished_jobs, event::job_finished> && !observes<of_finished_jobs, event::job_started>);
static_assert(observes<of_everything, event::job_started> && observes<of_everything, event::error>);
static_assert(!observes<that_changes_events, event::job_finished>);
static_assert(observes_something<of_finished_jobs> && observes_something<of_everything>);
static_assert(!observes_something<that_changes_events> && !observes_something<in_private>);
static_assert(!observes_something<observer::none> && !observes_something<int>);
static_assert(!observer_policy<without_category> && !observer_policy<int>);

}  // namespace

}  // namespace concept_observer
