#pragma once

#include <pgq/cli/description.hpp>
#include <pgq/cli/global_options.hpp>
#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/output/format.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/plain_connection.hpp>

#include <pgq/admin.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/statement/query.hpp>

#include <CLI/App.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::cli {

/// Shows a payload as JSON, without its sensitive members. Empty: the program does not know the type of the lane, or
/// cannot read the bytes. `pgq` knows no types; a program of a user does.
using payload_decoder = std::function<std::optional<std::string>(const listed_lane& of, std::string_view body)>;

/// What a sub-command works with: the global options, the database, the output. Its members throw `failure`.
class program {
public:
    program(const global_options& o, const description& about, const CLI::App& root, const payload_decoder& decode)
        : options_{o}, about_{about}, root_{root}, decode_{decode} {}

    const global_options& options() const noexcept { return options_; }
    const CLI::App& tree() const noexcept { return root_; }
    std::optional<std::string> decoded(const listed_lane& of, std::string_view body) const {
        return decode_ ? decode_(of, body) : std::nullopt;
    }

    /// The program's own options, with the database of the line, and without --statement-timeout.
    driver::connection_options connection() const {
        driver::connection_options o = about_.database;
        o.schema = options_.schema;
        // The way past a pooler leads to the program's own database.
        if (!options_.dsn.empty()) o.conninfo = options_.dsn, o.listen_conninfo.clear();
        if (options_.verbose)
            o.on_statement = [first = std::move(o.on_statement)](const driver::sent_statement& s) {
                if (first) first(s);
                show_statement(s.text);
            };
        return o;
    }
    driver::libpq driver() const {
        driver::connection_options o = connection();
        o.statement_timeout = options_.statement_timeout;
        // The server's answer about its limit should come before the client gives up.
        constexpr std::chrono::seconds grace{5};
        if (o.statement_timeout > o.response_timeout - grace) o.response_timeout = o.statement_timeout + grace;
        if (o.statement_timeout == duration{}) o.response_timeout = std::chrono::hours{24};
        return driver::libpq{std::move(o)};
    }
    /// Connects with the first call. The schema must be that of this version.
    driver::libpq::session& session() {
        if (!session_) session_.emplace(driver().connect(session_role::client).value());
        return *session_;
    }
    /// Rows of one statement of its own, which cannot write.
    sql_rows read(std::string_view text, std::initializer_list<sql_rows::cell> parameters = {}) {
        const std::string sql = statement::render(text, options_.schema);
        if (options_.verbose) show_statement(sql);
        auto& s = session();
        s.begin().value();
        (void)s.exec("SET TRANSACTION READ ONLY", {}).value();
        auto rows = s.exec(sql, std::vector<sql_rows::cell>{parameters}).value();
        s.rollback().value();
        return rows;
    }
    /// What an operator does; it has a session of its own.
    admin<driver::libpq>& ops() {
        if (!ops_) ops_.emplace(driver());
        return *ops_;
    }
    plain_connection& plain() {
        if (!plain_) plain_.emplace(plain_options_.emplace(driver().options()), options_.verbose);
        return *plain_;
    }

    /// Whether a person reads the output. Programs get all of a long text.
    bool writes_for_people() const noexcept {
        return options_.format() == format::table || options_.format() == format::markdown;
    }
    /// Shows a table in the format that the user has chosen.
    void show(const table& t) const {
        switch (options_.format()) {
        case format::table: return write_out(as_table(t, may_use_colour(options_.no_color)));
        case format::json: return write_out(as_json(t));
        case format::csv: return write_out(as_csv(t, out_is_terminal()));
        case format::markdown: return write_out(as_markdown(t));
        }
    }
    /// Says what was done: a sentence for people, a record for programs.
    void say(const std::string& sentence) const {
        if (options_.format() == format::table) return write_out(safe(sentence) + '\n');
        table t{{{"message"}}};
        t.add({sentence});
        show(t);
    }
    /// Says on stderr why the command ends so, and what to do.
    exit_code fail(exit_code code, const std::string& what, const std::string& remedy) const {
        complain(what + "; " + remedy);
        return code;
    }
    /// Whether the user wants it. Without a terminal only --yes says so.
    bool is_confirmed(const std::string& question) const {
        if (options_.yes) return true;
        if (has_somebody_to_ask()) {
            if (answers_yes(question)) return true;
            complain("nothing was changed: the answer was not yes");
        } else complain("nothing was changed: there is no terminal to ask on; --yes answers yes");
        return false;
    }

private:
    const global_options& options_;
    const description& about_;
    const CLI::App& root_;
    const payload_decoder& decode_;
    std::optional<admin<driver::libpq>> ops_{};
    std::optional<driver::libpq::session> session_{};
    std::optional<driver::connection_options> plain_options_{};
    std::optional<plain_connection> plain_{};
};

}  // namespace pgq::cli
