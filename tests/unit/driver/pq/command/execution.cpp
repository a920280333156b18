#include <pgq/driver/pq/command/admin/cancel.hpp>
#include <pgq/driver/pq/command/admin/revise.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/transaction.hpp>
#include <pgq/driver/pq/command/worker_registration.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace unit_driver_pq_command_execution {

using namespace pgq;
using test::binary;
using test::rows;
namespace command = driver::pq::command;

namespace {

constexpr std::array ids{job_id{7}};

/// A channel whose server is the test: it keeps what was sent, and answers what it was told.
struct scripted_channel {
    driver::pq::batch steps{};
    driver::pq::session_info info = test::own_session();
    command::wake_list later{};
    std::vector<std::string> sent{};
    std::vector<std::vector<test::reply>> replies{};

    std::size_t breaks_at = SIZE_MAX;
    int pauses = 0;

    void pause(duration d) {
        CHECK(d >= duration{});
        CHECK(d < std::chrono::milliseconds{200});
        ++pauses;
    }

    result<void> send() {
        sent.push_back(test::text_of(steps));
        if (sent.size() > breaks_at) return errc::connection_lost;
        test::answer(steps, sent.size() <= replies.size() ? replies[sent.size() - 1] : std::vector<test::reply>{});
        return {};
    }
    template <class Command>
    auto run(Command&& c) {
        return driver::pq::run_command(*this, c);
    }
};

const test::reply removed_one = rows({{binary(1L), binary(0L)}});
const test::reply contended = test::failed("40P01");

}  // namespace

TEST_CASE("an execution sends, reads and wakes", "[driver][pq][command][execution]") {
    scripted_channel c{.replies = {{removed_one}}};
    CHECK(c.run(command::admin::cancel{ids}).value().removed == 1);
    CHECK(c.sent == std::vector<std::string>{"cancel({7})", "wake_collected(77)"});
}

TEST_CASE("an execution wakes no worker if there are no lanes, or after an error", "[driver][pq][command][execution]") {
    scripted_channel nothing{.replies = {{rows({{binary(0L), binary(1L)}})}}};
    CHECK(nothing.run(command::admin::cancel{ids}).has_value());
    CHECK(nothing.sent.size() == 1);
    scripted_channel fails{.replies = {{test::failed("57014")}}};
    CHECK_FALSE(fails.run(command::admin::cancel{ids}).has_value());
    CHECK(fails.sent.size() == 1);
}

TEST_CASE("in a transaction of the session an execution remembers the lanes to wake",
          "[driver][pq][command][execution]") {
    scripted_channel c{.info = test::own_transaction(), .replies = {{removed_one}}};
    CHECK(c.run(command::admin::cancel{ids}).has_value());
    CHECK(c.sent == std::vector<std::string>{"cancel({7})"});
    CHECK(c.later.noted);
}

TEST_CASE("in the caller's transaction an execution sends its wakes in that transaction",
          "[driver][pq][command][execution]") {
    scripted_channel c{.info = test::callers_transaction(), .replies = {{removed_one}}};
    CHECK(c.run(command::admin::cancel{ids}).has_value());
    CHECK(c.sent == std::vector<std::string>{"cancel({7})", "wake_all_collected(77)"});
}

TEST_CASE("a wake that fails in the caller's transaction fails the command, because the transaction fails",
          "[driver][pq][command][execution]") {
    scripted_channel inside{.info = test::callers_transaction(), .replies = {{removed_one}, {test::failed("54000")}}};
    CHECK(inside.run(command::admin::cancel{ids}).error().code == make_sqlstate("54000"));
    scripted_channel broken{.info = test::callers_transaction(), .replies = {{removed_one}}, .breaks_at = 1};
    CHECK(broken.run(command::admin::cancel{ids}).error() == errc::connection_lost);
    scripted_channel outside{.replies = {{removed_one}, {test::failed("54000")}}};
    CHECK(outside.run(command::admin::cancel{ids}).value().removed == 1);
}

TEST_CASE("after a conflict with another session a command is repeated, up to 30 times in all",
          "[driver][pq][command][execution]") {
    scripted_channel twice{.replies = {{contended}, {contended}, {removed_one}}};
    CHECK(twice.run(command::admin::cancel{ids}).has_value());
    CHECK(twice.sent.size() == 4);
    scripted_channel always{.replies = std::vector(command::most_tries + 1, std::vector{contended})};
    CHECK(always.run(command::admin::cancel{ids}).error() == condition::contention);
    CHECK(always.sent.size() == command::most_tries);
    CHECK(always.pauses == command::most_tries - 1);
}

TEST_CASE("a command is not repeated in a transaction, nor after other errors, nor when it does not repeat",
          "[driver][pq][command][execution]") {
    scripted_channel inside{.info = test::callers_transaction(), .replies = {{contended}, {removed_one}}};
    CHECK(inside.run(command::admin::cancel{ids}).error() == condition::contention);
    CHECK(inside.sent.size() == 1);
    scripted_channel other{.replies = {{test::failed("57014")}, {removed_one}}};
    CHECK_FALSE(other.run(command::admin::cancel{ids}).has_value());
    CHECK(other.sent.size() == 1);
    scripted_channel once{.replies = {{contended}, {}}};
    CHECK_FALSE(once.run(command::control{statement::begin}).has_value());
    CHECK(once.sent.size() == 1);
    scripted_channel locked{.replies = {{test::failed("55P03")}, {removed_one}}};
    CHECK_FALSE(locked.run(command::admin::cancel{ids}).has_value());
    CHECK(locked.sent.size() == 1);
}

TEST_CASE("a second round trip follows the first, and its error is the command's", "[driver][pq][command][execution]") {
    const auto registered = std::vector{rows({{binary(9)}})};
    scripted_channel c{.replies = {registered}};
    c.info.listens = true;
    CHECK(c.run(command::register_worker{{}}).value() == worker_id{9});
    CHECK(c.sent.at(1) == "LISTEN \"pgq_77_9\"() + LISTEN \"pgq_77\"()");
    scripted_channel refused{.replies = {registered, {test::failed("42501")}}};
    refused.info.listens = true;
    CHECK(refused.run(command::register_worker{{}}).error().code == make_sqlstate("42501"));
    scripted_channel none{.replies = {{test::failed("23503")}}};
    none.info.listens = true;
    CHECK_FALSE(none.run(command::register_worker{{}}).has_value());
    CHECK(none.sent.size() == 1);
}

TEST_CASE("a connection that breaks fails the command, but not when it only wakes others",
          "[driver][pq][command][execution]") {
    scripted_channel first{.breaks_at = 0};
    CHECK(first.run(command::admin::cancel{ids}).error() == errc::connection_lost);
    scripted_channel waking{.replies = {{removed_one}}, .breaks_at = 1};
    CHECK(waking.run(command::admin::cancel{ids}).value().removed == 1);
}

TEST_CASE("an enqueue or a commit without an answer says that it is in doubt, and other commands do not",
          "[driver][pq][command][execution]") {
    bodies written;
    written.bytes() += "b", written.close();
    const enqueue_options options{};
    std::vector<job_id> made;
    std::vector<enqueued_job> tracked;
    const std::array lanes{lane_id{3}};
    const enqueue_request one{.lane = lanes[0], .bodies = &written, .options = {&options, 1}};
    const auto error_of = [](auto c, const driver::pq::session_info& info = test::own_session()) {
        scripted_channel channel{.info = info, .breaks_at = 0};
        const auto answer = channel.run(c);
        REQUIRE_FALSE(answer);
        CHECK(answer.error() == errc::connection_lost);
        return answer.error();
    };
    CHECK(error_of(command::enqueue{one, made}).detail == "the jobs may be stored or not");
    CHECK(error_of(command::enqueue{one, made}).hint.find("request_id") != std::string::npos);
    CHECK(error_of(command::enqueue_tracked{{.lanes = lanes, .bodies = &written, .options = {&options, 1}}, tracked})
              .detail == "the jobs may be stored or not");
    CHECK(error_of(command::commit{}).detail == "the transaction may be committed or not");
    CHECK(error_of(command::enqueue{one, made}, test::callers_transaction()).detail.empty());
    CHECK(error_of(command::enqueue{one, made}, test::own_transaction()).detail.empty());
    CHECK(error_of(command::admin::cancel{ids}).detail.empty());
}

TEST_CASE("what cannot be sent is not sent", "[driver][pq][command][execution]") {
    scripted_channel c{};
    const std::string large(1001, 'x');
    CHECK(c.run(command::admin::revise{{.body = large}}).error() == errc::payload_too_large);
    CHECK(c.run(command::admin::revise{{}}).has_value());
    const bodies none{};
    std::vector<job_id> made{{1}};
    CHECK(c.run(command::enqueue{{.bodies = &none}, made}).has_value());
    CHECK(made.empty());
    CHECK(c.sent.empty());
}

}  // namespace unit_driver_pq_command_execution
