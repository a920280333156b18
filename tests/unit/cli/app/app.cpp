#include <pgq/cli.hpp>
#include <pgq/cli/app/job_options.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/serializer/raw.hpp>

#include "support/catch.hpp"

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace unit_cli_app {

using namespace std::chrono_literals;

struct note {
    static constexpr std::string_view entrypoint = "note";
    std::string text{};
};

}  // namespace unit_cli_app

BOOST_HANA_ADAPT_STRUCT(unit_cli_app::note, text);

namespace unit_cli_app {

namespace {

// A sub-command of the program's own.
struct decode {
    static constexpr const char* name = "decode";
    static constexpr const char* what = "Print a payload as JSON";
    static inline std::string printed{};

    void declare(CLI::App& a) { a.add_option("BYTES", bytes, "The payload")->required(); }
    pgq::cli::exit_code run(pgq::cli::program& p) {
        pgq::listed_lane lane;
        lane.entrypoint = "note";
        const auto text = p.decoded(lane, bytes);
        if (!text) return p.fail(pgq::cli::exit_code::not_met, "the payload cannot be read", "look at its bytes");
        printed = *text;
        return pgq::cli::exit_code::done;
    }

    std::string bytes{};
};

using note_queue = pgq::queue<note, pgq::driver::libpq, pgq::serializer::raw>;

/// The options of a line.
class line {
public:
    explicit line(const std::string& text) {
        options_.declare(app_);
        app_.parse(text);
        read_ = options_.read();
    }
    const pgq::result<pgq::enqueue_options>& operator*() const noexcept { return read_; }
    const pgq::enqueue_options* operator->() const { return &read_.value(); }

private:
    CLI::App app_{};
    pgq::cli::job_options options_{};
    pgq::result<pgq::enqueue_options> read_{pgq::errc::closed};
};

}  // namespace

TEST_CASE("a program has the name of its app, else that of its file", "[cli][app]") {
    pgq::app<note_queue> app{};
    CHECK(pgq::cli::describe(app, "/usr/bin/mailer").name == "mailer");
    CHECK(pgq::cli::describe(app, "mailer").version == "mailer (pgq " PGQ_VERSION ")");
    app.name = "other", app.version = "2.1";
    CHECK(pgq::cli::describe(app, "mailer").version == "other 2.1 (pgq " PGQ_VERSION ")");
    for (const char* good : {"mailer", "mail-worker_2.x", "A"}) CHECK(pgq::cli::is_program_name(good));
    for (const char* bad : {"", "-x", "a b", "a'b", "a\nb", "a/b", "\xC3\xA4"})
        CHECK_FALSE(pgq::cli::is_program_name(bad));
}

TEST_CASE("a program has sub-commands of its own, which know its job types", "[cli][app]") {
    const auto run = [](auto... words) {
        std::array<std::string, sizeof...(words)> line{words...};
        std::array<char*, sizeof...(words)> pointers{};
        for (std::size_t i = 0; i < line.size(); ++i) pointers[i] = line[i].data();
        return pgq::main(static_cast<int>(line.size()), pointers.data(),
                         pgq::app<note_queue>{
                             .name = "notes",
                             .commands = [](pgq::cli::command_tree& tree) { tree.root().add<decode>(); },
                         },
                         [](const note&) {});
    };
    CHECK(run("notes", "decode", "a text") == 0);
    CHECK(decode::printed == R"({"text":"a text"})");
    CHECK(run("notes", "encode") == 2);
}

TEST_CASE("a program without a good name does not start", "[cli][app]") {
    std::string word = "a program";
    char* line[] = {word.data()};
    CHECK(pgq::main(1, line, pgq::app<note_queue>{}, [](const note&) {}) == 2);
}

TEST_CASE("a line changes the connection of the program", "[cli][app]") {
    int statements = 0;
    pgq::cli::description about;
    about.database = {.conninfo = "host=own", .listen_conninfo = "host=past", .schema = "own", .max_payload = 77};
    about.database.on_statement = [&](const auto&) { ++statements; };
    pgq::cli::global_options options{.schema = about.database.schema};
    const CLI::App root;
    const pgq::cli::payload_decoder decode;
    const pgq::cli::program p{options, about, root, decode};
    CHECK(p.connection().conninfo == "host=own");
    CHECK(p.connection().listen_conninfo == "host=past");
    CHECK(p.connection().schema == "own");
    CHECK(p.connection().statement_timeout == 0s);
    CHECK(p.driver().options().statement_timeout == 10s);
    CHECK(p.driver().options().max_payload == 77);
    p.connection().on_statement({});
    CHECK(statements == 1);

    options.dsn = "host=other", options.schema = "other";
    CHECK(p.connection().conninfo == "host=other");
    CHECK(p.connection().listen_conninfo.empty());
    CHECK(p.driver().options().schema == "other");
}

TEST_CASE("main makes drivers of connection options", "[cli][app]") {
    CHECK(pgq::cli::make_driver<pgq::driver::libpq>({.schema = "s"}).options().schema == "s");
    CHECK(pgq::cli::can_make_driver<pgq::driver::pool<pgq::driver::libpq>>);
    CHECK_FALSE(pgq::cli::can_make_driver<pgq::driver::memory>);
}

TEST_CASE("the options of a job on the line are those of an enqueue", "[cli][app][options]") {
    CHECK((*line{""}).value().is_plain());
    const line some{
        "--priority -3 --delay 90s --expires-in 2h --if-expired hold --attempts 4 --timeout 5min --at-most 9"};
    CHECK(some->priority == -3);
    CHECK(some->run_at == pgq::in(90s));
    CHECK(some->expires_at == pgq::in(2h));
    CHECK(some->if_expired == pgq::on_expiry::hold);
    CHECK(some->max_attempts == 4);
    CHECK(some->timeout == 5min);
    CHECK(some->at_most == 9);

    const line more{
        "--at 2026-03-29T01:00:00Z --after 7 --after 8 --if-parent-fails run --request-id r --keep-outcome 1h"};
    CHECK(more->run_at.how() == pgq::when::kind::absolute);
    REQUIRE(more->after.size() == 2);
    CHECK(more->after[1].value == 8);
    CHECK(more->if_parent_fails == pgq::parent_failure::run);
    CHECK(more->request_id.text() == "r");
    CHECK(more->keep_outcome == 1h);
}

TEST_CASE("a line has headers and a unique key", "[cli][app][options]") {
    const line some{"--header a=b=c --header d= --unique key --unique-for 1h --if-duplicate debounce"};
    REQUIRE(some->headers.size() == 2);
    CHECK((some->headers[0].name == "a" && some->headers[0].value == "b=c"));
    CHECK((some->headers[1].name == "d" && some->headers[1].value.empty()));
    CHECK(some->unique_key.key() == "key");
    CHECK(some->unique_key.scope() == pgq::unique_scope::period);
    CHECK(some->unique_key.period() == 1h);
    CHECK(some->unique_key.then() == pgq::on_duplicate::debounce);
    CHECK(line { "--unique key --if-duplicate fail" } -> unique_key.then() == pgq::on_duplicate::fail);
    CHECK(line { "--unique key --if-duplicate replace" } -> unique_key.then() == pgq::on_duplicate::replace);
    CHECK((*line{"--header =b"}).error() == pgq::errc::invalid_option);
    CHECK_THROWS_AS(line{"--if-duplicate fail"}, CLI::RequiresError);
    CHECK_THROWS_AS(line{"--delay 1s --at 2026-03-29T01:00:00Z"}, CLI::ExcludesError);
}

}  // namespace unit_cli_app
