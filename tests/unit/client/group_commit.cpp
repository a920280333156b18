#include <pgq/client/group_commit.hpp>

#include <support/catch.hpp>
#include <support/eventually.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace unit_client_group_commit {

namespace {

struct inserted {
    std::int64_t lane = 0;
    std::int16_t priority = 0;
    std::vector<std::string> bodies{};
};

/// What the server has seen, and what it answers.
struct server {
    std::function<pgq::result<void>(const inserted&)> answer = [](const inserted&) { return pgq::result<void>{}; };

    void hold_inserts() {
        const std::lock_guard lock{mutex};
        held = true;
    }
    void let_go() {
        const std::lock_guard lock{mutex};
        held = false;
        changed.notify_all();
    }
    pgq::result<void> insert(const inserted& what) {
        std::unique_lock lock{mutex};
        ++begun;
        changed.wait(lock, [&] { return !held; });
        all.push_back(what);
        return answer(what);
    }
    std::size_t times(std::string_view body) const {
        std::size_t n = 0;
        for (const auto& i : all)
            for (const auto& b : i.bodies) n += b == body;
        return n;
    }

    std::mutex mutex{};
    std::condition_variable changed{};
    bool held = false;
    std::atomic<int> begun{0};
    std::vector<inserted> all{};
};

struct driver {
    struct session {
        pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view, std::span<const pgq::lane_name>) {
            return std::vector<pgq::lane_id>{{10}, {11}};
        }
        /// The id of a job is the number that its body holds.
        pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
            inserted what{.lane = r.lane.value, .priority = r.options[0].priority};
            for (std::size_t i = 0; i < r.bodies->size(); ++i) what.bodies.emplace_back((*r.bodies)[i]);
            if (auto done = to->insert(what); !done) return done;
            for (const auto& b : what.bodies) ids.push_back({std::stoll(b)});
            return {};
        }
        server* to;
    };
    pgq::result<session> connect(pgq::session_role) const { return session{to}; }

    server* to;
};

using connection = pgq::detail::client_connection<driver>;
using answer = pgq::result<pgq::job_id>;

struct client {
    server there{};
    connection to{driver{&there}, "q", std::span<const pgq::lane_name>{}};
    pgq::detail::group_commit<driver> commits{};

    answer put(const std::string& body, std::int16_t priority = 0, std::size_t lane = 0) {
        const pgq::enqueue_options options{.priority = priority};
        return commits.put(to, lane, options, body);
    }
    /// One thread for each body. The first insert is held until all have started, so that the others come together.
    std::vector<answer> put_together(const std::vector<std::string>& bodies,
                                     const std::function<std::int16_t(std::size_t)>& priority_of) {
        std::vector<answer> answers(bodies.size(), answer{pgq::errc::closed});
        std::atomic<std::size_t> started{0};
        there.hold_inserts();
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < bodies.size(); ++i)
                threads.emplace_back([&, i] {
                    ++started;
                    answers[i] = put(bodies[i], priority_of(i));
                });
            CHECK(test::eventually([&] { return started == bodies.size() && there.begun > 0; }));
            there.let_go();
        }
        return answers;
    }
    std::vector<answer> put_together(const std::vector<std::string>& bodies) {
        return put_together(bodies, [](std::size_t) { return std::int16_t{0}; });
    }
};

std::vector<std::string> numbers(std::size_t n) {
    std::vector<std::string> all;
    for (std::size_t i = 1; i <= n; ++i) all.push_back(std::to_string(i));
    return all;
}

}  // namespace

TEST_CASE("a call that is alone is one insert, in the lane of its job", "[client][group_commit]") {
    client c;
    CHECK(c.put("7", 3, 1).value() == pgq::job_id{7});
    REQUIRE(c.there.all.size() == 1);
    CHECK(c.there.all[0].lane == 11);
    CHECK(c.there.all[0].priority == 3);
    CHECK(c.there.all[0].bodies == std::vector<std::string>{"7"});
}

TEST_CASE("jobs of several threads share one insert, and each call gets its own id", "[client][group_commit]") {
    // Whether a thread comes in time for the group is up to the scheduler, so this tries until several did.
    CHECK(test::eventually([] {
        client c;
        const auto answers = c.put_together(numbers(8));
        for (std::size_t i = 0; i < answers.size(); ++i)
            CHECK(answers[i].value() == pgq::job_id{static_cast<std::int64_t>(i) + 1});
        for (const auto& body : numbers(8)) CHECK(c.there.times(body) == 1);
        return c.there.all.size() < 8;
    }));
}

TEST_CASE("jobs of different priorities do not share an insert", "[client][group_commit]") {
    client c;
    const auto priority_of = [](std::size_t i) { return static_cast<std::int16_t>(i % 2); };
    for (const auto& a : c.put_together(numbers(8), priority_of)) CHECK(a.has_value());
    for (const auto& i : c.there.all)
        for (const auto& b : i.bodies) CHECK(priority_of(std::stoul(b) - 1) == i.priority);
}

TEST_CASE("an error of one job reaches only its own call", "[client][group_commit]") {
    client c;
    c.there.answer = [](const inserted& what) -> pgq::result<void> {
        for (const auto& b : what.bodies)
            if (b == "5") return pgq::errc::payload_too_large;
        return {};
    };
    const auto answers = c.put_together(numbers(8));
    for (std::size_t i = 0; i < answers.size(); ++i) {
        CAPTURE(i);
        if (i == 4) CHECK(answers[i].error() == pgq::errc::payload_too_large);
        else CHECK(answers[i].value() == pgq::job_id{static_cast<std::int64_t>(i) + 1});
    }
}

TEST_CASE("after a lost connection the calls of that insert are in doubt, and none is repeated",
          "[client][group_commit]") {
    client c;
    c.there.answer = [](const inserted&) { return pgq::result<void>{pgq::errc::connection_lost}; };
    for (const auto& a : c.put_together(numbers(8))) CHECK(a.error() == pgq::errc::connection_lost);
    for (const auto& body : numbers(8)) CHECK(c.there.times(body) == 1);
}

TEST_CASE("an exception in an insert is an error of its calls, and later calls go on", "[client][group_commit]") {
    client c;
    c.there.answer = [](const inserted&) -> pgq::result<void> { throw std::runtime_error{"no memory"}; };
    for (const auto& a : c.put_together(numbers(4))) CHECK(a.error().message == "no memory");
    c.there.answer = [](const inserted&) { return pgq::result<void>{}; };
    CHECK(c.put("9").value() == pgq::job_id{9});
}

}  // namespace unit_client_group_commit
