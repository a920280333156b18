#include <pgq/admin.hpp>
#include <pgq/cli/top/draw.hpp>
#include <pgq/cli/top/machine.hpp>
#include <pgq/cli/top/perform.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/testing/laws/driver/fixture.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_cli_top_machine {

using namespace pgq;
using namespace pgq::cli::top;
using namespace std::chrono_literals;
using laws::must, laws::strings;
using fixture = laws::driver_fixture<driver::memory>;

namespace {

/// A screen before a store in this process, which answers at once.
class console {
public:
    explicit console(settings with = {}, screen_size size = {24, 100}) : screen_{std::move(with)} {
        screen_.resized(size);
        pass(0s);
    }
    /// The time passes, and samples come.
    void pass(duration d) {
        now_ += d;
        send(screen_.tick(now_));
    }
    void press(std::u32string_view all) {
        for (const key k : all) send(screen_.pressed(k, now_));
    }
    void resize(screen_size s) { screen_.resized(s); }
    void fail(error_info e) {
        CHECK_FALSE(screen_.tick(now_).empty());
        send(screen_.answered({.error = std::move(e)}, now_));
    }

    frame drawn() const { return draw(screen_.state(), now_); }
    std::string line(std::size_t i) const { return line_text(drawn().lines.at(i)); }
    std::string last() const { return line_text(drawn().lines.back()); }
    bool shows(std::string_view text) const {
        const auto all = drawn().lines;
        return std::any_of(all.begin(), all.end(),
                           [&](const auto& l) { return line_text(l).find(text) != std::string::npos; });
    }
    std::size_t row_of(std::string_view text) const {
        for (std::size_t i = 4; i < drawn().lines.size(); ++i)
            if (line(i).find(text) != std::string::npos) return i;
        return 0;
    }

    driver::memory store{};
    fixture w{store};
    admin<driver::memory> ops{store};
    std::vector<ask> asked{};
    steady_time now_{};
    machine screen_;

private:
    void send(machine::requests all) {
        for (const request& q : all) {
            asked.push_back(q.what);
            if (q.what == ask::quit || q.what == ask::stop) continue;
            const performing how{.last = 2min, .reason = "test", .progress = [&](reply r) {
                                     (void)screen_.answered(std::move(r), now_);
                                     return true;
                                 }};
            send(screen_.answered(perform(ops, q, how), now_));
        }
    }
};

/// Entrypoints, jobs, and a worker of one of them.
struct busy : console {
    explicit busy(settings with = {}, screen_size size = {24, 100}) : console{std::move(with), size} {
        ids = w.enqueue(mail, {R"({"to":"a@b"})", "\x01\x02", "[3]"});
        (void)w.enqueue(report, {"x"});
        auto p = w.worker({mail, idle});
        (void)p.settle(p.claim(1), {.kind = settle_kind::hold, .reason = "smtp refused\nat line 7"});
        pass(2s);
    }
    lane_id mail = w.lane("send", "mail"), report = w.lane("build", "report"), idle = w.lane("idle", "mail");
    std::vector<job_id> ids{};
};

}  // namespace

TEST_CASE("a worker of all queues with a prefix serves its entrypoints", "[cli][top]") {
    entrypoint_overview e{.queue = "tenant-a", .entrypoint = "mail"};
    e.counts.ready = {1, false};
    listed_worker w{.alive = true};
    const auto condition = [&] { return examine({.entrypoints = {e}, .workers = {w}}).conditions.at(0); };
    CHECK(condition() == condition_of_lane::unserved);
    w.prefix = "tenant-";
    CHECK(condition() == condition_of_lane::fine);
    w.queues = {"tenant-b"};
    CHECK(condition() == condition_of_lane::unserved);
    w.queues = {"tenant-b", "tenant-a"};
    w.entrypoints = {"report"};
    CHECK(condition() == condition_of_lane::unserved);
    w.entrypoints = {"mail"};
    CHECK(condition() == condition_of_lane::fine);
    w.alive = false;
    CHECK(condition() == condition_of_lane::unserved);
    e.paused = true;
    CHECK(condition() == condition_of_lane::paused);
    e.last.held = 1;
    CHECK(condition() == condition_of_lane::failing);
}

TEST_CASE("a screen without jobs says so", "[cli][top]") {
    const console c;
    CHECK(c.shows("no program has used this schema yet"));
    CHECK(c.line(0).starts_with("pgq top"));
    CHECK(c.drawn().lines.size() == 24);
}

TEST_CASE("entrypoints without a worker come first, and the lists say what is wrong", "[cli][top]") {
    busy c;
    CHECK(c.line(2).find("[1 entrypoints !!1] ") == 0);
    CHECK(c.line(4).find("!!no worker  report  build") != std::string::npos);
    CHECK(c.row_of("mail    idle") > 4);
    CHECK(c.line(1).find("ready 3   run 0   held 1") == 0);
}

TEST_CASE("a sample is asked for once in each interval, and not while one is under way", "[cli][top]") {
    machine m{{}};
    m.resized({24, 80});
    steady_time now{};
    REQUIRE(m.tick(now).size() == 1);
    CHECK(m.tick(now + 10s).empty());
    CHECK(m.idle_time(now + 10s) == 1s);
    (void)m.answered({}, now + 10s);
    CHECK(m.tick(now + 11s).empty());
    CHECK(m.idle_time(now + 11500ms) == 500ms);
    CHECK(m.tick(now + 12s).size() == 1);
}

TEST_CASE("space stops the samples, and an action has one", "[cli][top]") {
    busy c;
    c.press(U" ");
    CHECK(c.line(0).find("stopped; space goes on") != std::string::npos);
    c.asked.clear();
    c.pass(10s);
    CHECK(c.asked.empty());
    c.press(U"py");
    c.pass(1s);
    CHECK(c.asked == std::vector{ask::pause, ask::sample});
    c.pass(10s);
    CHECK(c.asked.size() == 2);
    c.press(U" ");
    c.pass(0s);
    CHECK(c.asked.size() == 3);
}

TEST_CASE("plus and minus change the interval within bounds", "[cli][top]") {
    console c;
    c.press(U"+");
    CHECK(c.shows("every 5s"));
    c.press(U"---------");
    CHECK(c.shows("every 500ms"));
    c.press(U"+++++++++");
    CHECK(c.shows("every 1min"));
}

TEST_CASE("keys choose a list", "[cli][top]") {
    busy c;
    c.press(U"2");
    CHECK(c.shows("heartbeat"));
    CHECK(c.shows("mail/send, mail/idle"));
    c.press(U"\t");
    CHECK(c.shows("no schedule is declared"));
    c.press(U"4");
    CHECK(c.shows("smtp refused"));
    c.press(U"\t");
    CHECK(c.line(2).find("[1 entrypoints") == 0);
    c.press(std::u32string{keys::back_tab});
    CHECK(c.line(2).find("[4 failures]") != std::string::npos);
}

TEST_CASE("the chosen row stays chosen when rows move", "[cli][top]") {
    busy c;
    c.press(std::u32string{keys::end});
    const std::string chosen = c.line(6);
    CHECK(chosen.find("send") != std::string::npos);
    CHECK(chosen.starts_with("▸"));
    c.press(U"s");  // by queue
    const auto at = c.row_of("send");
    CHECK(c.line(at).starts_with("▸"));
    c.press(U"S");
    CHECK(c.line(3).find("queue▼") != std::string::npos);
    CHECK(c.row_of("report") < c.row_of("mail"));
    CHECK(c.line(c.row_of("send")).starts_with("▸"));
    c.press(U"sss");
    CHECK(c.line(3).find("run▼") != std::string::npos);
}

TEST_CASE("a filter shows rows with a text, whatever its case", "[cli][top]") {
    busy c;
    c.press(U"/REPX");
    CHECK(c.drawn().has_cursor);
    CHECK(c.last() == "filter: REPX");
    CHECK(c.shows("nothing matches the filter"));
    c.press(std::u32string{keys::backspace, keys::enter});
    CHECK_FALSE(c.drawn().has_cursor);
    CHECK(c.row_of("report") == 4);
    CHECK(c.row_of("mail") == 0);
    CHECK(c.shows("filter: REP"));
    c.press(std::u32string{keys::escape});
    CHECK(c.row_of("mail") > 0);
    c.press(U"/" + std::u32string(20'000, U'a'));  // pasted
    c.press(std::u32string(200, keys::backspace));
    CHECK(c.last() == "filter: ");
    c.press(std::u32string{keys::escape});
    c.press(U"/\u6F22\u00E9");
    CHECK(c.last() == "filter: \u6F22\u00E9");
    c.press(std::u32string{keys::backspace});
    CHECK(c.last() == "filter: \u6F22");
    c.press(std::u32string{keys::escape});
    CHECK(c.row_of("mail") > 0);
}

TEST_CASE("an entrypoint opens its jobs, a job its attempts and, on request, its payload", "[cli][top]") {
    busy c;
    c.press(std::u32string{keys::end, keys::enter});
    CHECK(c.shows("jobs of mail/send"));
    CHECK(c.line(4).find("held") != std::string::npos);
    CHECK(c.line(4).find("smtp refused") != std::string::npos);
    c.press(std::u32string{keys::enter});
    CHECK(c.shows("failed attempts, latest first"));
    CHECK(c.shows("at line 7"));
    CHECK(c.shows("entrypoint   mail/send"));
    CHECK_FALSE(c.shows("a@b"));
    c.press(U"v");
    CHECK(c.shows(R"({"to":"a@b"})"));
    c.resize({10, 60});
    c.press(std::u32string(50, keys::down) + std::u32string{keys::page_down});
    CHECK(c.shows("a@b"));
    CHECK_FALSE(c.shows("state        held"));
    c.press(std::u32string{'k', keys::page_up, keys::page_up});
    CHECK(c.shows("state        held"));
    c.press(U"v");
    CHECK(c.shows("a@b"));
    c.resize({24, 100});
    c.press(std::u32string{keys::escape, keys::down, keys::enter, 'v'});
    CHECK(c.shows("\\x"));
    c.press(std::u32string{keys::escape, keys::escape});
    CHECK(c.line(2).find("[1 entrypoints") == 0);
    CHECK_FALSE(c.shows("jobs of"));
}

TEST_CASE("jobs come page by page", "[cli][top]") {
    console c;
    const auto lane = c.w.lane("send", "mail");
    const auto ids = c.w.enqueue(lane, strings(250, "x"));
    c.pass(2s);
    c.press(std::u32string{keys::enter});
    CHECK(c.line(4).find(std::to_string(ids[0].value)) != std::string::npos);
    c.press(U"b");
    CHECK(c.last() == "this is the first page");
    c.press(U"n");
    CHECK(c.line(4).find(std::to_string(ids[200].value)) != std::string::npos);
    c.press(U"n");
    CHECK(c.last() == "this is the last page");
    c.press(U"b");
    c.press(std::u32string{keys::page_down});
    CHECK(c.shows(std::to_string(ids[19].value)));
    c.press(std::u32string{keys::end});
    CHECK(c.shows(std::to_string(ids[199].value)));
}

TEST_CASE("a pause and its end ask first", "[cli][top]") {
    busy c;
    c.press(U"p");
    CHECK(c.last() == "pause report/build? y/n ");
    CHECK(c.drawn().has_cursor);
    c.press(U"n");
    CHECK(c.last() == "nothing was changed");
    CHECK(must(c.ops.paused()).empty());
    c.press(U"py");
    CHECK(c.last() == "paused report/build");
    CHECK(must(c.ops.paused("report")).at(0).reason == "test");
    c.pass(0s);
    CHECK(c.shows("paused"));
    c.press(U"py");
    CHECK(c.last() == "resumed report/build");
    must(c.ops.pause("report", "", "all of it"));
    c.pass(2s);
    c.press(U"py");
    CHECK(c.last().find("the pause is for the queue") != std::string::npos);
}

TEST_CASE("an action asks first and names the job, or how many", "[cli][top]") {
    busy c;
    c.press(std::u32string{keys::end});
    c.press(U"r");
    CHECK(c.last() == "requeue 1 job of mail/send? y/n ");
    c.press(U"y");
    CHECK(c.last() == "requeued 1 job");
    c.pass(0s);
    c.press(U"r");
    CHECK(c.last() == "mail/send has no held job");
    c.press(U"c");
    CHECK(c.last() == "cancel all 3 jobs of mail/send? y/n ");
    c.press(U"x");
    CHECK(c.w.counts(c.mail).ready == 3);
    c.press(std::u32string{keys::enter, 'c'});
    CHECK(c.last() == "cancel job " + std::to_string(c.ids[0].value) + "? y/n ");
    c.press(U"y");
    CHECK(c.last() == "cancelled 1 job");
    CHECK(c.w.counts(c.mail).ready == 2);
    c.pass(0s);
    c.press(U"r");
    CHECK(c.last().find("requeue job") == 0);
    c.press(U"y");
    CHECK(c.last().find("has no held job") != std::string::npos);
    c.press(std::u32string{keys::escape, 'c', 'y'});
    CHECK(c.last() == "cancelled 2 jobs");
    c.press(U"2c");
    CHECK(c.last().find("choose a job") == 0);
}

TEST_CASE("a question that comes late does not take the next key for its answer", "[cli][top]") {
    busy c;
    c.press(std::u32string{keys::end});
    const auto asked = c.screen_.pressed('c', c.now_);
    REQUIRE(asked.size() == 1);
    CHECK(c.last().find("counting") == 0);
    c.press(U"/y");
    (void)c.screen_.answered(perform(c.ops, asked[0], {}), c.now_);
    CHECK(c.last() == "filter: y");
}

TEST_CASE("a schedule is paused and resumed", "[cli][top]") {
    busy c;
    const bodies b = c.w.packed({"tick"});
    const enqueue_options options{};
    schedule_definition s{.name = "nightly", .expression = "0 3 * * *", .zone = "UTC"};
    s.job = {.lane = c.mail, .bodies = &b, .options = {&options, 1}};
    must(c.w.client().declare_schedule("mail", s));
    c.pass(2s);
    c.press(U"3p");
    CHECK(c.last() == "pause schedule mail/nightly? y/n ");
    c.press(U"y");
    c.pass(0s);
    CHECK(c.line(4).find("paused") != std::string::npos);
    CHECK(c.last() == "paused mail/nightly");
    c.press(U"py");
    c.pass(0s);
    CHECK(c.line(4).find("paused") == std::string::npos);
}

TEST_CASE("with --read-only no key changes anything", "[cli][top]") {
    busy c{{.read_only = true}};
    c.asked.clear();
    c.press(U"pyryc");
    CHECK(c.last().find("--read-only") != std::string::npos);
    CHECK(c.asked.empty());
}

TEST_CASE("a server that is away is named with the reason, and the last numbers stay", "[cli][top]") {
    busy c;
    c.now_ += 2s;
    c.fail({errc::connection_lost, "refused by\nthe server"});
    c.now_ += 3s;
    c.fail({errc::connection_lost, "refused by\nthe server"});
    c.now_ += 2s;
    CHECK(c.last() == "not connected, since 5.0s: refused by\\nthe server");
    CHECK(c.line(0).find("!! not updated for 5.0s") != std::string::npos);
    CHECK(c.row_of("report") > 0);
    c.pass(2s);
    CHECK_FALSE(c.shows("not connected"));
    c.now_ += 2s;
    c.fail({make_sqlstate("42501"), "permission denied for table lane"});
    CHECK(c.last().find("no answer, since 0s: permission denied") == 0);
}

TEST_CASE("a server that takes long is named before its time is over", "[cli][top]") {
    busy c;
    CHECK_FALSE(c.shows("no answer"));
    c.now_ += 2s;
    CHECK_FALSE(c.screen_.tick(c.now_).empty());
    c.now_ += 8s;
    CHECK(c.line(0).find("! no answer for 10s") != std::string::npos);
    c.press(U"2");
    CHECK(c.shows("heartbeat"));
    (void)c.screen_.answered({}, c.now_);
    CHECK_FALSE(c.shows("no answer"));
}

TEST_CASE("an error of an action is shown", "[cli][top]") {
    busy c;
    (void)c.screen_.answered(
        {.to = {.what = ask::act}, .error = error_info{make_sqlstate("42501"), "permission denied"}}, c.now_);
    CHECK(c.last() == "permission denied");
    c.pass(21s);
    CHECK(c.last().find("? help") == 0);
}

TEST_CASE("an action on many jobs says how far it is, and Esc ends it", "[cli][top]") {
    busy c;
    (void)c.screen_.answered({.to = {.what = ask::act}, .done = {.done = 2000, .batches = 2}, .more = true}, c.now_);
    CHECK(c.last() == "cancelled 2 000 jobs so far; Esc ends it");
    CHECK(c.screen_.pressed(keys::escape, c.now_).at(0).what == ask::stop);
    (void)c.screen_.answered({.to = {.what = ask::act}, .done = {.done = 3000, .stopping = 1}}, c.now_);
    CHECK(c.last() == "cancelled 3 000 jobs, 1 of them run and were asked to stop; stopped before the end");
}

TEST_CASE("q quits, and help is left by any key", "[cli][top]") {
    console c;
    c.press(U"?");
    CHECK(c.shows("stop updating, go on"));
    c.press(U"q");
    CHECK_FALSE(c.shows("stop updating, go on"));
    CHECK(c.screen_.pressed('q', c.now_).at(0).what == ask::quit);
}

TEST_CASE("no line is wider than the screen, and no screen has other lines than it has", "[cli][top]") {
    busy c;
    const auto strange = c.w.lane("\xE6\xBC\xA2\xE5\xAD\x97\x1b[31m", std::string(100, 'q'));
    (void)c.w.enqueue(strange, {"x"});
    c.pass(2s);
    for (const std::u32string_view keys : {U"", U"2", U"3", U"4", U"1\n", U"\n", U"v", U"?", U"?c", U"c"}) {
        c.press(keys);
        for (const screen_size s : {screen_size{24, 80}, {60, 200}, {24, 40}, {5, 10}, {2, 1}, {1, 1}, {24, 80}}) {
            c.resize(s);
            const frame f = c.drawn();
            CHECK(f.lines.size() == std::max<std::size_t>(s.rows, 2));
            for (const auto& l : f.lines) {
                CHECK(width_of(l) <= s.columns);
                CHECK(line_text(l).find('\x1b') == std::string::npos);
            }
        }
    }
}

TEST_CASE("a terminal without UTF-8 gets ASCII only", "[cli][top]") {
    busy c{{.glyphs = {.utf8 = false}}, {24, 200}};
    const auto strange = c.w.lane("\xE6\xBC\xA2", "mail");
    (void)c.w.enqueue(strange, {"x"});
    c.pass(2s);
    CHECK(c.shows("\\u6f22"));
    for (const auto& l : c.drawn().lines)
        for (const char b : line_text(l)) CHECK(static_cast<unsigned char>(b) < 0x80);
}

}  // namespace unit_cli_top_machine
