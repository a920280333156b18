#include <pgq/executor/process.hpp>
#include <pgq/handler/child_protocol.hpp>
#include <pgq/handler/child_runner.hpp>

#include "support/catch.hpp"
#include "unit/handler/fake_run.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

namespace unit_handler_child_protocol {

namespace {

using namespace std::chrono_literals;
using fakes::mail;
using kind = pgq::outcome::kind;
using pgq::detail::child_end;
using pgq::detail::child_job;
using pgq::detail::decode_result;
using pgq::detail::encode_result;

const pgq::trace::context span{.trace = {{1}}, .span = {{2}}, .sampled = true, .state = "a=1"};

std::string request_of(std::string_view body, std::size_t type = 0) {
    static constexpr std::array headers{pgq::header{"tenant", "a"}, pgq::header{"", std::string_view{"\0b", 2}}};
    const pgq::job_record r{
        .id = pgq::job_id{42}, .attempt = 3, .enqueued_at = pgq::time_point{11us}, .body = body, .headers = headers};
    return child_job::encode(type, 2, r, 5, pgq::steady_time{7s}, "tenant-a", &span);
}

struct in_processes {
    using jobs = pgq::detail::type_list<mail>;

    explicit in_processes(bool throws = false) : throws_{throws} {}
    template <class Job>
    pgq::outcome invoke(const mail& m, pgq::context& c) {
        if (throws_) throw std::runtime_error{"no route"};
        return pgq::hold{m.to + " " + std::to_string(c.attempt()) + " " + std::to_string(c.try_number())};
    }

private:
    bool throws_;
};

using composed = unit_handler::mails<pgq::executor::process>;
using runner = pgq::detail::child_runner<composed, in_processes>;

pgq::outcome answer_of(std::string_view request, bool throws = false) {
    in_processes handlers{throws};
    runner r{handlers, nullptr};
    return decode_result(runner::answer(&r, request)).what;
}

}  // namespace

TEST_CASE("a request brings a child all that its handler may know of the job", "[handler][child_protocol]") {
    const std::string request = request_of("the payload");
    const child_job job{request};
    CHECK(job.is_whole);
    CHECK(job.version == 2);
    CHECK(job.try_number == 5);
    CHECK(job.must_end_by == pgq::steady_time{7s});
    CHECK(job.queue == "tenant-a");
    CHECK(job.span == span);
    CHECK(job.record.id == pgq::job_id{42});
    CHECK(job.record.attempt == 3);
    CHECK(job.record.enqueued_at == pgq::time_point{11us});
    CHECK(job.record.body == "the payload");
    REQUIRE(job.record.headers.size() == 2);
    CHECK(job.record.headers[0].name == "tenant");
    CHECK(job.record.headers[1].value == std::string_view{"\0b", 2});
}

TEST_CASE("a request that was cut at any point is refused", "[handler][child_protocol]") {
    const std::string request = request_of("the payload");
    for (std::size_t n = 0; n < request.size(); ++n) {
        const child_job job{std::string_view{request}.substr(0, n)};
        INFO(n);
        CHECK_FALSE(job.is_whole);
    }
}

TEST_CASE("a request that names more headers than it holds is refused before memory is allocated",
          "[handler][child_protocol]") {
    const pgq::job_record r{.id = pgq::job_id{42}, .body = "x"};
    std::string request = child_job::encode(0, 0, r, 1, {}, {}, nullptr);
    const std::size_t count_at = request.size() - sizeof(std::size_t) - 1 - sizeof(std::size_t);
    const std::size_t absurd = std::numeric_limits<std::size_t>::max();
    request.replace(count_at, sizeof absurd, reinterpret_cast<const char*>(&absurd), sizeof absurd);
    const child_job job{request};
    CHECK_FALSE(job.is_whole);
    CHECK(job.headers.empty());
}

TEST_CASE("every kind of result comes back from a child as it was", "[handler][child_protocol]") {
    const auto back = [](pgq::try_result r) { return decode_result(encode_result(r)); };
    const auto retry = back({.what = pgq::retry_after{2s, "busy"}, .has_delay = false});
    CHECK(retry.what.what() == kind::retry);
    CHECK(retry.what.delay() == 2s);
    CHECK(retry.what.reason() == "busy");
    CHECK_FALSE(retry.has_delay);
    CHECK(back({.what = pgq::retry_after{2s, "busy"}}).has_delay);
    CHECK(back({.what = pgq::snooze{1min}}).what.delay() == 1min);
    CHECK(back({.what = pgq::discard{"old"}}).what.what() == kind::discard);
    CHECK(back({.what = pgq::hold{"odd"}}).what.reason() == "odd");
    CHECK(back({}).what.what() == kind::done);
    CHECK_FALSE(back({}).what.result());

    pgq::try_result with_result;
    with_result.what.give_result("");
    CHECK(back(with_result).what.result() == "");
    with_result.what.give_result(std::string(100'000, 'x'));
    CHECK(back(with_result).what.result()->size() == 100'000);
}

TEST_CASE("a reason is cut to what a child can send without a reader", "[handler][child_protocol]") {
    const auto r = decode_result(encode_result({.what = pgq::hold{std::string(100'000, 'x')}}));
    CHECK(r.what.reason().size() == pgq::detail::longest_reason);
}

TEST_CASE("an answer that cannot be read is a failed attempt", "[handler][child_protocol]") {
    const std::string whole = encode_result({.what = pgq::hold{}});
    const auto refused = [](std::string_view answer) {
        const auto r = decode_result(answer);
        return r.failed() && !r.has_delay && r.what.reason() == "the answer of the handler's process cannot be read";
    };
    for (std::size_t n = 0; n < whole.size(); ++n) CHECK(refused(std::string_view{whole}.substr(0, n)));
    CHECK_FALSE(refused(whole));
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, whole.size() - 1}) {  // the kind, and both bools
        std::string spoiled = whole;
        spoiled[at] = '\x7f';
        INFO(at);
        CHECK(refused(spoiled));
    }
}

TEST_CASE("the end of a child without an answer says what happened", "[handler][child_protocol]") {
    const auto of = [](child_end::kind how, int value, bool stop_requested = false) {
        return pgq::detail::result_of({how, value}, stop_requested).what;
    };
    CHECK(of(child_end::kind::by_signal, SIGKILL).reason() == "the handler's process was ended by signal 9 (Killed)");
    CHECK(of(child_end::kind::by_signal, SIGTERM, true).what() == kind::release);
    CHECK(of(child_end::kind::by_exit, 3).reason() ==
          "the handler's process ended with exit status 3 and without an answer");
    CHECK(of(child_end::kind::not_started, 12).reason().find("the handler's process could not be started: ") == 0);
    CHECK(of(child_end::kind::no_server, 0).what() == kind::snooze);
}

TEST_CASE("a child calls the handler with the job of its request", "[handler][child_runner]") {
    CHECK(answer_of(request_of("ada")).reason() == "ada 3 5");
    const auto unreadable = answer_of(request_of("unreadable"));
    CHECK(unreadable.what() == kind::hold);
    CHECK(unreadable.reason().find("the payload cannot be read") == 0);
    const auto thrown = answer_of(request_of("ada"), true);
    CHECK(thrown.what() == kind::retry);
    CHECK(thrown.reason() == "no route");
}

TEST_CASE("a child holds a job whose request it cannot read, or whose type it does not run",
          "[handler][child_runner]") {
    const std::string request = request_of("ada");
    const auto is_held = [](std::string_view bad) {
        const auto o = answer_of(bad);
        return o.what() == kind::hold && o.reason() == "the request to the handler's process cannot be read";
    };
    CHECK(is_held(""));
    CHECK(is_held(std::string_view{request}.substr(0, request.size() - 1)));
    CHECK(is_held(request_of("ada", 1)));
    CHECK(is_held(request_of("ada", std::numeric_limits<std::size_t>::max())));
}

}  // namespace unit_handler_child_protocol
