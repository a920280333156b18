#include <pgq/job/scheduled_at.hpp>
#include <pgq/observer/all_of.hpp>
#include <pgq/observer/log.hpp>

#include "support/catch.hpp"

#include <boost/json/parse.hpp>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <variant>
#include <vector>

namespace unit_observer_log {

using namespace pgq;
using namespace std::chrono_literals;
using observer::log_level;
using observer::log_options;

namespace {

using kind = outcome::kind;

template <class Event>
std::string line_for(const Event& e, log_options options = {.least = log_level::debug}) {
    std::ostringstream out;
    observer::log to{out, options};
    to.on(e);
    return out.str();
}

event::job_finished finished(kind what, std::string_view reason = {}) {
    return {.id = {7}, .entrypoint = "mail", .attempt = 2, .what = what, .reason = reason, .run_time = 31204us};
}

}  // namespace

TEST_CASE("a log writes one line of keys and values for an event", "[observer][log]") {
    CHECK(line_for(finished(kind::retry, "smtp refused")) ==
          "level=warning event=job_finished job=7 entrypoint=mail attempt=2 outcome=retry reason=\"smtp refused\" "
          "run_ms=31.204\n");
    CHECK(line_for(event::jobs_claimed{.worker = {3}, .count = 9}) ==
          "level=debug event=jobs_claimed worker=3 count=9\n");
    CHECK(line_for(event::connection_restored{}) == "level=info event=connection_restored\n");
    CHECK(line_for(event::lease_lost{.lease = 5, .unfinished = 2}) ==
          "level=warning event=lease_lost lease=5 unfinished=2\n");
}

TEST_CASE("a log names the queue of a job, and how many jobs were enqueued, returned or cancelled", "[observer][log]") {
    CHECK(line_for(event::job_started{.id = {7}, .entrypoint = "mail", .attempt = 1, .queue = "night"}) ==
          "level=debug event=job_started job=7 queue=night entrypoint=mail attempt=1\n");
    CHECK(line_for(event::jobs_claimed{.worker = {3}, .count = 9, .entrypoint = "mail", .queue = "night"}) ==
          "level=debug event=jobs_claimed worker=3 queue=night entrypoint=mail count=9\n");
    CHECK(line_for(event::jobs_enqueued{.queue = "night", .entrypoint = "mail", .count = 2}) ==
          "level=debug event=jobs_enqueued queue=night entrypoint=mail count=2\n");
    CHECK(line_for(event::jobs_enqueued{.queue = "night", .entrypoint = "mail", .count = 2, .committed = false}) ==
          "level=debug event=jobs_enqueued queue=night entrypoint=mail count=2 committed=no\n");
    CHECK(line_for(event::jobs_returned{.worker = {3}, .queue = "night", .entrypoint = "mail", .count = 2}) ==
          "level=info event=jobs_returned worker=3 queue=night entrypoint=mail count=2 why=stopping\n");
    CHECK(line_for(event::job_cancelled{.id = {7}, .queue = "night", .entrypoint = "mail", .attempt = 1}) ==
          "level=info event=job_cancelled job=7 queue=night entrypoint=mail attempt=1 running=no\n");
    CHECK(line_for(event::cancel_requested{.queue = "night", .removed = 1, .stopping = 2}) ==
          "level=info event=cancel_requested queue=night removed=1 stopping=2\n");
}

TEST_CASE("a log writes each event as one JSON object if its format is JSON", "[observer][log]") {
    const auto json = [](const auto& e) {
        return line_for(e, {.least = log_level::debug, .format = observer::log_format::json});
    };
    CHECK(json(event::connection_restored{}) == "{\"level\":\"info\",\"event\":\"connection_restored\"}\n");
    const std::string line = json(finished(kind::retry, "say \"x\"\n\\ \x1b br\xC3\xB6ken"));
    CHECK(line == R"({"level":"warning","event":"job_finished","job":7,"entrypoint":"mail","attempt":2,)"
                  R"("outcome":"retry","reason":"say \"x\"\n\\ \u001b br)"
                  "\xC3\xB6ken\",\"run_ms\":31.204}\n");
    const auto read = boost::json::parse(line).as_object();
    CHECK(read.at("reason") == "say \"x\"\n\\ \x1b br\xC3\xB6ken");
    CHECK(read.at("run_ms").as_double() == 31.204);
}

TEST_CASE("a log in JSON replaces what is not UTF-8", "[observer][log]") {
    const std::string line = line_for(finished(kind::retry, std::string_view{"half \xC3 and \0 end", 14}),
                                      {.least = log_level::debug, .format = observer::log_format::json});
    CHECK(boost::json::parse(line).at("reason").as_string().starts_with("half \xEF\xBF\xBD and "));
}

TEST_CASE("a log begins with the time if it is asked for", "[observer][log]") {
    const std::string line = line_for(event::connection_restored{}, {.with_time = true});
    REQUIRE(line.starts_with("time="));
    const auto written = pgq::detail::parse_tick(std::string_view{line}.substr(5, 27));
    REQUIRE(written);
    CHECK(std::chrono::abs(std::chrono::system_clock::now() - *written) < 1h);
    CHECK(line.ends_with(" level=info event=connection_restored\n"));
    const std::string json =
        line_for(event::connection_restored{}, {.format = observer::log_format::json, .with_time = true});
    CHECK(pgq::detail::parse_tick(std::string_view{boost::json::parse(json).at("time").as_string()}));
}

TEST_CASE("a log writes the code, statement, message and hint of an error, but never the server's detail",
          "[observer][log]") {
    error_info e{make_sqlstate("23514"), "violates a check", "look there"};
    e.statement = "enqueue";
    e.detail = "Failing row contains (1, secret)";
    CHECK(line_for(event::error{e}) ==
          "level=warning event=error error=23514 statement=enqueue message=\"violates a check\" hint=\"look there\"\n");
    CHECK(line_for(event::connection_failed{{errc::connection_lost, "gone"}, 250ms}) ==
          "level=warning event=connection_failed error=pgq:1 message=gone next_try_ms=250.000\n");
    CHECK(line_for(event::database_problem_found{"autovacuum", "it is off", "switch it on"}) ==
          "level=warning event=database_problem_found problem=autovacuum message=\"it is off\" remedy=\"switch it "
          "on\"\n");
}

TEST_CASE("a log needs no stream to be made, so a queue without one can", "[observer][log]") {
    observer::log<observer::to_stream> to_standard_error;
    to_standard_error.on(event::job_started{});  // below the least level: it writes nothing
    CHECK(to_standard_error.failures() == 0);
    STATIC_REQUIRE(std::default_initializable<observer::all_of<observer::log<observer::to_stream>>>);
}

TEST_CASE("no text can imitate a line or a field of the log", "[observer][log]") {
    const auto reason_in = [](std::string_view reason) {
        const std::string line = line_for(finished(kind::retry, reason));
        const auto from = line.find("reason=") + 7, to = line.find(" run_ms=");
        return line.substr(from, to - from);
    };
    CHECK(reason_in("a\nlevel=error event=fake") == R"("a\nlevel=error event=fake")");
    CHECK(reason_in("say \"x\" \\ y") == R"("say \"x\" \\ y")");
    CHECK(reason_in("k=v") == R"("k=v")");
    CHECK(reason_in(std::string_view{"\x1b[2J\0", 5}) == R"("\x1b[2J\x00")");
    CHECK(reason_in("br\xC3\xB6ken") == "br\xC3\xB6ken");
    CHECK(reason_in("half \xC3") == R"("half \xc3")");
}

TEST_CASE("a log cuts a long text between two characters", "[observer][log]") {
    std::string text(999, 'x');
    text += "\xC3\xB6 and more";
    const std::string line = line_for(finished(kind::retry, text));
    CHECK(line.find("reason=" + std::string(999, 'x') + " run_ms") != std::string::npos);
}

TEST_CASE("a log writes no event below the least level, and the level of each event is an option", "[observer][log]") {
    CHECK(line_for(finished(kind::done), {}).empty());
    CHECK(line_for(finished(kind::snooze), {}).empty());
    CHECK(line_for(event::job_started{}, {}).empty());
    CHECK(line_for(finished(kind::hold), {.least = log_level::error}).starts_with("level=error"));
    CHECK(line_for(finished(kind::retry), {.least = log_level::error}).empty());
    CHECK(line_for(finished(kind::done), {.job_done = log_level::info}).starts_with("level=info"));
    CHECK(line_for(event::error{}, {.error = log_level::off}).empty());
    CHECK(line_for(event::error{}, {.least = log_level::off}).empty());
}

TEST_CASE("a sink that takes records gets each field by itself", "[observer][log]") {
    struct seen {
        std::string event;
        std::int64_t job = 0;
        double run_ms = 0;
    } last;
    observer::log to{[&](const observer::log_record& r) {
                         last.event = r.event;
                         for (const auto& f : r.fields) {
                             if (f.key == "job") last.job = std::get<std::int64_t>(f.value);
                             if (f.key == "run_ms") last.run_ms = std::get<double>(f.value);
                         }
                     },
                     log_options{.least = log_level::debug}};
    to.on(finished(kind::done));
    CHECK(last.event == "job_finished");
    CHECK(last.job == 7);
    CHECK(last.run_ms == 31.204);
}

TEST_CASE("a log catches the exceptions of its sink and counts them", "[observer][log]") {
    int calls = 0;
    observer::log to{[&](std::string_view) {
        if (++calls != 2) throw std::runtime_error{"disk full"};
    }};
    for (int i = 0; i < 3; ++i) notify(to, event::error{});
    CHECK(calls == 3);
    CHECK(to.failures() == 2);
}

TEST_CASE("one thread at a time calls a sink, and copies of a log share it", "[observer][log]") {
    int lines = 0;  // not atomic: the log must prevent concurrent calls
    observer::log first{[&](std::string_view line) { lines += line.empty() ? 0 : 1; }};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([copy = first]() mutable {
            for (int i = 0; i < 1000; ++i) copy.on(event::connection_restored{});
        });
    for (auto& t : threads) t.join();
    CHECK(lines == 4000);
}

}  // namespace unit_observer_log
