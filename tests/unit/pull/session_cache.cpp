#include <pgq/pull/session_cache.hpp>

#include <support/catch.hpp>
#include <support/fake_session.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_pull_session_cache {

using namespace pgq;

namespace {

/// Holds the jobs that `keep` gets, and fails while `broken`.
struct holding_session : test::fake_session {
    result<void> hold_taken(const taken_record& job, std::string_view reason) {
        if (broken) return errc::connection_lost;
        held.push_back(std::to_string(job.id.value) + ":" + std::string{reason});
        return {};
    }

    bool broken = false;
    std::vector<std::string> held{};
};
using cache_type = detail::session_cache<test::fake_driver<holding_session>>;

struct counting_driver : test::fake_driver<> {
    explicit counting_driver(int* n) : opened{n} {}
    result<session> connect(session_role) const {
        ++*opened;
        return session{};
    }

    int* opened;
};

}  // namespace

TEST_CASE("a job that could not be held is held by the next call, once", "[pull][session_cache]") {
    cache_type cache;
    holding_session session;
    cache.defer_hold({.id = {1}}, "bad");
    cache.defer_hold({.id = {2}}, "worse");
    REQUIRE(cache.hold_deferred(session));
    CHECK(session.held.size() == 2);
    REQUIRE(cache.hold_deferred(session));
    CHECK(session.held.size() == 2);
}

TEST_CASE("a job stays with the cache until it has been held", "[pull][session_cache]") {
    cache_type cache;
    holding_session session;
    session.broken = true;
    cache.defer_hold({.id = {1}}, "bad");
    CHECK(cache.hold_deferred(session).error() == errc::connection_lost);
    session.broken = false;
    REQUIRE(cache.hold_deferred(session));
    CHECK(session.held == std::vector<std::string>{"1:bad"});
}

TEST_CASE("an idle listener serves only the job type that it listens for", "[pull][session_cache]") {
    int opened = 0;
    const counting_driver driver{&opened};
    detail::session_cache<counting_driver> cache;
    const auto use_listener_of = [&](std::size_t job) {
        auto listener = cache.take_listener(driver, job, {});
        REQUIRE(listener);
        cache.give_back(job, std::move(*listener));
    };
    use_listener_of(0);
    use_listener_of(1);
    CHECK(opened == 2);
    use_listener_of(0);
    use_listener_of(1);
    CHECK(opened == 2);
}

}  // namespace unit_pull_session_cache
