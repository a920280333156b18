#include <pgq/concept/observer.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/observer/log.hpp>
#include <pgq/observer/none.hpp>

#include <string_view>
#include <type_traits>

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
struct by_value {
    using policy_category = observer_tag;
    void on(event::job_finished) const {}
    void on(const event::job_started&) noexcept {}
};
struct constrained {
    using policy_category = observer_tag;
    void on(const event::job_started&) {}
    template <class E>
        requires std::is_same_v<E, event::job_finished>
    void on(const E&) {}
    void on(int, std::string_view) {}
};
struct inherited : of_finished_jobs {
    using of_finished_jobs::on;
    void on(const event::error&) {}
};
struct with_a_private_overload : of_finished_jobs {
    using of_finished_jobs::on;

private:
    void on(const event::job_started&) {}
};
struct with_an_rvalue : of_finished_jobs {
    using of_finished_jobs::on;
    void on(event::job_started&&) {}
};
struct with_an_overload_for_a_number : of_finished_jobs {
    using of_finished_jobs::on;
    void on(int) {}
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
static_assert(!hides_overload<of_finished_jobs> && !hides_overload<of_everything> && !hides_overload<by_value>);
static_assert(!hides_overload<constrained> && !hides_overload<inherited> && !hides_overload<observer::none>);
static_assert(!hides_overload<observer::log<>> && !hides_overload<observer::counters>);
static_assert(hides_overload<with_a_private_overload> && hides_overload<with_an_rvalue>);
static_assert(hides_overload<with_an_overload_for_a_number>);
static_assert(!observer_policy<without_category> && !observer_policy<int>);

}  // namespace

}  // namespace concept_observer
