#include <pgq/observer/all_of.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/observer/none.hpp>

#include "support/catch.hpp"

#include <string>
#include <vector>

namespace unit_observer_all_of {

using namespace pgq;

namespace {

struct notes {
    using policy_category = observer_tag;
    std::vector<std::string>* out = nullptr;
    std::string name{};
    void on(const event::error&) { out->push_back(name); }
};
struct empty_one {
    using policy_category = observer_tag;
    void on(const event::error&) {}
};
struct empty_two {
    using policy_category = observer_tag;
    void on(const event::job_started&) {}
};

using observer::all_of;

// Parts without data need no memory.
static_assert(sizeof(all_of<empty_one, observer::counters, empty_two>) == sizeof(observer::counters));
static_assert(sizeof(all_of<observer::counters>) == sizeof(observer::counters));
static_assert(sizeof(all_of<empty_one, empty_two, observer::none>) == 1);

// It handles the events that a part handles, and no other.
static_assert(observes<all_of<empty_one, empty_two>, event::error>);
static_assert(observes<all_of<empty_one, empty_two>, event::job_started>);
static_assert(!observes<all_of<empty_one, empty_two>, event::job_finished>);
static_assert(!observes_something<all_of<observer::none, observer::none>>);

}  // namespace

TEST_CASE("all_of passes an event to each part, in the order of the parts", "[observer][all_of]") {
    std::vector<std::string> reported;
    all_of both{notes{&reported, "first"}, empty_one{}, notes{&reported, "second"}};
    notify(both, event::error{});
    notify(both, event::job_started{});
    CHECK(reported == std::vector<std::string>{"first", "second"});
}

TEST_CASE("get returns a part of all_of by its type or its position", "[observer][all_of]") {
    all_of all{empty_one{}, observer::counters{}};
    notify(all, event::error{});
    CHECK(all.get<observer::counters>().snapshot().of<event::error>() == 1);
    CHECK(&all.get<1>() == &all.get<observer::counters>());
}

TEST_CASE("all_of can be a part of all_of", "[observer][all_of]") {
    observer::counters seen;
    all_of outer{all_of{seen, empty_two{}}, seen};
    notify(outer, event::error{});
    CHECK(seen.snapshot().of<event::error>() == 2);
}

}  // namespace unit_observer_all_of
